"""What stands before every port of AYA: who may come in, how much they may bring, and what every answer carries."""
