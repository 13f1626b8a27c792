"""Start the custom handler: the script that the Functions host runs, a stub, because Python compiles a script at each start."""

from azure_custom import main

main()
