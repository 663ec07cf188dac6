"""How each family of services says that it does not let somebody in.

Codes and messages are those clients of AWS match on. The statuses are those of the pages "Common errors" of the APIs.
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
https://docs.aws.amazon.com/redshift-data/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from restframe.aws.errors import AwsError

MAXIMAL_SKEW_S = 15 * 60

_CALCULATED = "The request signature we calculated does not match the signature you provided. "


@dataclass(frozen=True, slots=True)
class Refusals:
    """The words of one family. An instance for each of them stands below.

    missing, incomplete, unknown_key, mismatch, invalid_token, expired_token : codes
    """

    missing: str
    incomplete: str
    unknown_key: str
    mismatch: str
    expired_token: str
    invalid_token: str
    presigned: str
    is_s3: bool = False

    def unsigned(self) -> AwsError:
        return AwsError(self.missing, "Access Denied" if self.is_s3 else "Missing Authentication Token", 403)

    def malformed(self, what: str) -> AwsError:
        """An Authorization header that says too little, or something else than it should."""
        if self.is_s3:
            return AwsError(self.incomplete, f"The authorization header is malformed; {what}.", 400)
        return AwsError(self.incomplete, f"Authorization header: {what}.", 403)

    def malformed_query(self, message: str) -> AwsError:
        return AwsError(self.presigned, message, 400 if self.is_s3 else 403)

    def two_ways(self) -> AwsError:
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
            "parameter or the Authorization header should be specified"
        )
        if self.is_s3:
            return AwsError("InvalidArgument", message, 400, ArgumentName="Authorization")
        return AwsError(self.incomplete, message, 403)

    def unsupported(self, mechanism: str) -> AwsError:
        message = f"restframe does not take {mechanism}. Please use AWS4-HMAC-SHA256."
        if self.is_s3:
            return AwsError(
                "InvalidRequest", f"The authorization mechanism you have provided is not supported: {message}", 400
            )
        return AwsError(self.incomplete, message, 403)

    def unknown(self, access_key_id: str) -> AwsError:
        if self.is_s3:
            message = "The AWS Access Key Id you provided does not exist in our records."
            return AwsError(self.unknown_key, message, 403, AWSAccessKeyId=access_key_id[:128])
        return AwsError(self.unknown_key, "The security token included in the request is invalid.", 403)

    def bad_token(self) -> AwsError:
        if self.is_s3:
            return AwsError(self.invalid_token, "The provided token is malformed or otherwise invalid.", 400)
        return AwsError(self.invalid_token, "The security token included in the request is invalid.", 403)

    def old_token(self) -> AwsError:
        if self.is_s3:
            return AwsError(self.expired_token, "The provided token has expired.", 400)
        return AwsError(self.expired_token, "The security token included in the request is expired", 403)

    def does_not_match(self) -> AwsError:
        if self.is_s3:
            return AwsError(self.mismatch, _CALCULATED + "Check your key and signing method.", 403)
        message = "Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
        return AwsError(self.mismatch, _CALCULATED + message, 403)

    def scope(self, what: str) -> AwsError:
        """A credential scope that is not of this day, this service or this kind."""
        if self.is_s3:
            return AwsError(self.incomplete, f"The authorization header is malformed; {what}.", 400)
        return AwsError(self.mismatch, what, 403)

    def not_signed(self, names: list[str]) -> AwsError:
        listed = ", ".join(names)[:200]
        if self.is_s3:
            message = "There were headers present in the request which were not signed"
            return AwsError("AccessDenied", message, 403, HeadersNotSigned=listed)
        return AwsError(self.mismatch, f"'{listed}' must be a 'SignedHeader' in the AWS Authorization.", 403)

    def skewed(self, signed: datetime, now: datetime) -> AwsError:
        if self.is_s3:
            return AwsError(
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
                403,
                RequestTime=basic(signed),
                ServerTime=extended(now),
                MaxAllowedSkewMilliseconds=str(MAXIMAL_SKEW_S * 1000),
            )
        skew = timedelta(seconds=MAXIMAL_SKEW_S)
        minutes = MAXIMAL_SKEW_S // 60
        if signed < now:
            what = f"Signature expired: {basic(signed)} is now earlier than {basic(now - skew)}"
            return AwsError(self.mismatch, f"{what} ({basic(now)} - {minutes} min.)", 403)
        what = f"Signature not yet current: {basic(signed)} is still later than {basic(now + skew)}"
        return AwsError(self.mismatch, f"{what} ({basic(now)} + {minutes} min.)", 403)

    def expired(self, expired: datetime, now: datetime) -> AwsError:
        """A presigned request after its time."""
        if self.is_s3:
            return AwsError(
                "AccessDenied", "Request has expired", 403, Expires=extended(expired), ServerTime=extended(now)
            )
        message = f"Signature expired: {basic(expired)} is now earlier than {basic(now)}"
        return AwsError(self.mismatch, message, 403)

    def not_yet_valid(self) -> AwsError:
        if self.is_s3:
            return AwsError("AccessDenied", "Request is not yet valid", 403)
        return AwsError(self.mismatch, "Signature not yet current", 403)


S3 = Refusals(
    missing="AccessDenied",
    incomplete="AuthorizationHeaderMalformed",
    unknown_key="InvalidAccessKeyId",
    mismatch="SignatureDoesNotMatch",
    expired_token="ExpiredToken",
    invalid_token="InvalidToken",
    presigned="AuthorizationQueryParametersError",
    is_s3=True,
)
QUERY = Refusals(
    missing="MissingAuthenticationToken",
    incomplete="IncompleteSignature",
    unknown_key="InvalidClientTokenId",
    mismatch="SignatureDoesNotMatch",
    expired_token="ExpiredToken",
    invalid_token="InvalidClientTokenId",
    presigned="IncompleteSignature",
)
JSON = Refusals(
    missing="MissingAuthenticationTokenException",
    incomplete="IncompleteSignatureException",
    unknown_key="UnrecognizedClientException",
    mismatch="InvalidSignatureException",
    expired_token="ExpiredTokenException",
    invalid_token="UnrecognizedClientException",
    presigned="IncompleteSignatureException",
)


def of_protocol(protocol: str) -> Refusals:
    return {"query": QUERY, "rest-xml": S3}.get(protocol, JSON)


def basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def extended(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
