"""A password that nobody would choose, and the proof that it was shown nowhere."""

PASSWORD = "%I\\a: {b} [c] #d 'e' \"f\" $HOME ${X} &*!|>@/?=g "


def never_shown(*texts: str):
    """No piece of six characters or more of the password."""
    for text in texts:
        for i in range(len(PASSWORD) - 5):
            piece = PASSWORD[i:i + 6]
            assert piece not in text, f"{piece!r} is shown"
