"""JSON Schema 2020-12: what the documents of a collection look like.

https://json-schema.org/draft/2020-12
"""

from service.documents.schemas.costs import TooCostly, check_costs
from service.documents.schemas.references import BASE, Resources, is_relative, references
from service.documents.schemas.schema import Fault, Schema, SchemaFault, faults_of

__all__ = [
    "BASE",
    "Fault",
    "Resources",
    "Schema",
    "SchemaFault",
    "TooCostly",
    "check_costs",
    "faults_of",
    "is_relative",
    "references",
]
