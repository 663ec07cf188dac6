"""Passwords by chance."""

from __future__ import annotations

import secrets
import string

from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.secretsmanager.service import operations

_KINDS = (
    ("ExcludeUppercase", string.ascii_uppercase),
    ("ExcludeLowercase", string.ascii_lowercase),
    ("ExcludeNumbers", string.digits),
    ("ExcludePunctuation", string.punctuation),
)


@operations("GetRandomPassword")
def get_random_password(request: Input, call: Call) -> Output:
    """32 characters unless PasswordLength says otherwise, with at least one of every kind that is not excluded.

    InvalidParameterException when it is too short for that, or when nothing is left to choose from.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
    """
    length = request.get("PasswordLength", 32)
    unwanted = set(request.get("ExcludeCharacters", ""))
    kinds = [_without(letters, unwanted) for member, letters in _KINDS if not request.get(member, False)]
    required = [letters for letters in kinds if letters] if request.get("RequireEachIncludedType", True) else []
    letters = "".join(kinds) + (_without(" ", unwanted) if request.get("IncludeSpace", False) else "")
    if not letters:
        raise AwsError("InvalidParameterException", "All characters are excluded.")
    if length < len(required):
        raise AwsError("InvalidParameterException", "Password length is too short based on the required types.")
    chosen = [secrets.choice(one) for one in required]
    chosen += [secrets.choice(letters) for _ in range(length - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return {"RandomPassword": "".join(chosen)}


def _without(letters: str, unwanted: set[str]) -> str:
    return "".join(letter for letter in letters if letter not in unwanted)
