"""The two judges: small models that say what they see in a picture, trained apart from all others."""
