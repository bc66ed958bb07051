"""The library on the page: what browsers are told of finished videos, and may do with them."""
