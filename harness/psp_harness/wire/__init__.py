"""The wire: a local server and a raw client that keep every byte as it comes off the socket, and strike faults.

What may not live here: anything that knows what a payment is. The wire is given values (an upstream, strikes, a way to
say which step a request belongs to) and gives back exchanges.
"""
