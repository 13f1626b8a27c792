"""Run the command line: `python -m flyweight` is the command `flyweight` of that Python."""

from importlib import import_module

if __name__ == "__main__":
    import_module("flyweight.toolkit.cli").main(prog_name="python -m flyweight")
