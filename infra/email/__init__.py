"""Mails leave the house: `console.py` and `smtp.py` implement `domain.mails.Mailer`."""
