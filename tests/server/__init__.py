"""Our own HTTP server: its parser beside h11's, its connections over plain sockets, and its processes."""
