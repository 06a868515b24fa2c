"""``python -m mochi_mm TOOL ...`` is the command ``mochi-mm``."""

from mochi_mm.launch.command.dispatch import main

if __name__ == '__main__':
    main()
