"""No message kills the server, and a server that is killed loses nothing in silence."""
