"""`python -m segdebug`."""

from segdebug.cli import main

if __name__ == "__main__":
    main()
