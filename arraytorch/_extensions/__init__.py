"""The operations of compiled extensions that libraries load, written on tensors."""
