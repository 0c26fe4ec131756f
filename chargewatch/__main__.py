"""`python -m chargewatch` is `chargewatch`."""

from chargewatch.cli import main

if __name__ == "__main__":
    main()
