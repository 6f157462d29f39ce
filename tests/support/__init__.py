"""What the tests stand on: a private RabbitMQ node and a TCP proxy that breaks on demand."""
