"""`python -m service` is `stuff`."""

from service.cli import main

if __name__ == "__main__":
    main()
