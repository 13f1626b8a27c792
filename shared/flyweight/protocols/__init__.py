"""What paths, bodies and errors mean, one file a protocol."""
