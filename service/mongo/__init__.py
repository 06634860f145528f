"""The database: the Motor client, the Beanie model, the driver's faults.

The only room that names Motor and Beanie.
"""
