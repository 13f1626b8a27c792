"""Start the mapper. Every Python 3 can read this file; an old one gets a message with the version that is needed."""

import sys

OLDEST = (3, 11)
TOO_OLD = 5  # the exit status


def main() -> None:
    """Run the mapper, and exit with its status."""
    if tuple(sys.version_info) < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        message = "flyweight: the mapper needs Python 3.11 or newer, and {} is Python {}: name another in -mapper or PYTHON\n"
        sys.stderr.write(message.format(sys.executable, found))
        sys.exit(TOO_OLD)
    from hadoop_mapper import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
