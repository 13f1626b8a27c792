"""Start the server of a container: the script that the image runs, a stub, because Python compiles a script at each start."""

from azure_ml_main import main

main()
