"""Start our Runtime API client; run the platform's own client, whose command line follows, if that is not possible.

`flyweight_wrapper` runs this file. It stays small, because Python compiles a script at each start; the modules that it imports
have bytecode.
"""

import sys

try:
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        raise ImportError("another version of Python than those that the client was tested with")
    if sys.flags.no_site:  # the wrapper found the file of bytecode, which has the modules of the client and the handler
        import gc

        import flyweight

        gc.disable()  # while the function is loaded
        flyweight.import_first()
    from aws_client import main
except Exception:
    import os

    os.execv(sys.argv[1], sys.argv[1:])

if __name__ == "__main__":
    main()
