"""What lives on the server that is fuzzed: things that requests can meet, and things that must stay as they are."""

from __future__ import annotations

import contextlib
import hashlib
import io
import random
import re
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from fuzz_inputs import Seen
from fuzz_server import Finds, Server
from fuzz_words import BUCKETS, IMAGE, KEYS, NAMES, ROLE


class Keeper:
    """Things of one thread's own, and what must be true of them. What was under way at a kill may be so or so."""

    def __init__(self, server: Server, name: str, finds: Finds) -> None:
        self.server = server
        self.rng = random.Random(name)
        self.bucket = f"keeper-{name}".lower()
        self.finds = finds
        self.objects: dict[str, set[bytes | None]] = {}
        self.secrets: dict[str, set[str | None]] = {}
        self.statements: dict[str, int] = {}
        self.generation = 0

    def _clients(self) -> None:
        if self.generation != self.server.generation:
            self.generation = self.server.generation
            names = ("s3", "secretsmanager", "redshift-data")
            self.s3, self.vault, self.data = (self.server.client(name) for name in names)
            with contextlib.suppress(BotoCoreError, HTTPClientError):
                self.s3.create_bucket(Bucket=self.bucket)

    def step(self) -> None:
        """One thing that is done, or looked at again."""
        self._clients()
        generation = self.generation
        try:
            self.rng.choice((self._put, self._put, self._get, self._get, self._secret, self._statement, self._result))()
        except ClientError as error:
            if error.response["Error"]["Code"] not in (
                "ThrottlingException",
                "SlowDown",
                "ActiveStatementsExceededException",
            ):
                self.finds.add(f"kept: {error.operation_name} {error.response['Error']['Code']}", None, repr(error))
        except (BotoCoreError, HTTPClientError) as error:
            time.sleep(0.1)
            if generation == self.server.generation and self.server.alive:
                self.finds.add("kept: no answer", None, repr(error))

    def _key(self) -> str:
        return self.rng.choice(
            ("a", "a/b", "a/b/c", "z z", "é/ü", "x" * 300, "trail/", "p%20q+r", "..x", "a//b", "ab", "a/./b")
        )

    def _put(self) -> None:
        key, draw = self._key(), self.rng.random()
        data = self.rng.randbytes(self.rng.choice((0, 10, 5000, 100_000)))
        possible = self.objects.setdefault(key, {None})
        if draw < 0.2:
            possible.add(None)
            self.s3.delete_object(Bucket=self.bucket, Key=key)
            self.objects[key] = {None}
            return
        possible.add(data)
        if draw < 0.35:
            upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
            where = {"Bucket": self.bucket, "Key": key, "UploadId": upload}
            part = self.s3.upload_part(**where, PartNumber=3, Body=data)
            self.s3.complete_multipart_upload(
                **where, MultipartUpload={"Parts": [{"PartNumber": 3, "ETag": part["ETag"]}]}
            )
        else:
            answer = self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
            if answer["ETag"].strip('"') != hashlib.md5(data).hexdigest():
                self.finds.add("kept: ETag", None, answer["ETag"])
        self.objects[key] = {data}

    def _get(self) -> None:
        key = self._key()
        possible = self.objects.get(key, {None})
        try:
            data = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "NoSuchBucket"):
                raise
            data = None
        if data not in possible:
            lengths = [one and len(one) for one in possible]
            self.finds.add("kept: object", None, f"{self.bucket}/{key}: {data and len(data)}, not one of {lengths}")
        self.objects[key] = {data}
        if self.rng.random() < 0.2:
            listed = {o["Key"] for o in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])}
            surely = {k for k, v in self.objects.items() if None not in v}
            surely_not = {k for k, v in self.objects.items() if v == {None}}
            if not surely <= listed or listed & surely_not:
                self.finds.add("kept: list", None, f"{self.bucket}: {sorted(listed)}, {sorted(surely)}, {surely_not}")

    def _secret(self) -> None:
        name = f"{self.bucket}/{self.rng.choice('ab')}"
        possible = self.secrets.setdefault(name, {None})
        if self.rng.random() < 0.5 and None not in possible:
            value = self.vault.get_secret_value(SecretId=name)["SecretString"]
            if value not in possible:
                self.finds.add("kept: secret", None, f"{name}: {value}, not one of {possible}")
            self.secrets[name] = {value}
            return
        value = f"v{self.rng.random()}"
        possible.add(value)
        try:
            self.vault.put_secret_value(SecretId=name, SecretString=value)
        except self.vault.exceptions.ResourceNotFoundException:
            if None not in possible:
                self.finds.add("kept: secret is gone", None, name)
            self.vault.create_secret(Name=name, SecretString=value)
        self.secrets[name] = {value}

    def _statement(self) -> None:
        number = self.rng.randrange(10**6)
        about = {"Database": "dev", "Sql": f"select {number} as n", "ClientToken": f"{self.bucket}-{number}"}
        done = self.data.execute_statement(ClusterIdentifier="restframe", **about)
        again = self.data.execute_statement(ClusterIdentifier="restframe", **about)
        if done["Id"] != again["Id"]:
            self.finds.add("kept: client token", None, str(about))
        self.statements[done["Id"]] = number

    def _result(self) -> None:
        if not self.statements:
            return
        identifier = self.rng.choice(list(self.statements)[-50:])
        told = self.data.describe_statement(Id=identifier)
        if told["Status"] == "FINISHED":
            rows = self.data.get_statement_result(Id=identifier)["Records"]
            if rows != [[{"longValue": self.statements[identifier]}]]:
                self.finds.add("kept: result", None, f"{identifier}: {rows}")
        elif told["Status"] in ("FAILED", "ABORTED"):
            del self.statements[identifier]
            if not re.search("paused|restart|stopp|ended|limit|another process", told.get("Error", "")):
                self.finds.add("kept: statement", None, f"{identifier}: {told.get('Error')}")


class Gardener:
    """Does what clients do, so that there are uploads, streams, models and results for requests to meet."""

    def __init__(self, server: Server, name: str, seen: Seen) -> None:
        self.server = server
        self.rng = random.Random(name)
        self.seen = seen
        self.generation = 0
        self.trained = False

    def step(self) -> None:
        if self.generation != self.server.generation:
            self.generation = self.server.generation
            names = (
                "s3",
                "secretsmanager",
                "redshift-data",
                "logs",
                "sagemaker",
                "sagemaker-runtime",
                "redshift",
                "iam",
            )
            self.s3, self.vault, self.data, self.logs, self.sagemaker, self.runtime, self.redshift, self.iam = (
                self.server.client(name) for name in names
            )
        often = (self._uploads, self._objects, self._secrets, self._statements, self._logs, self._models)
        plant = self.rng.choice((*often, *often, self._endpoints, self._invocations, self._cluster, self._job))
        with contextlib.suppress(ClientError, BotoCoreError, HTTPClientError):
            plant()

    def _learn(self, service: str, call: Callable[..., Any], **request: Any) -> Any:
        answer = call(**request)
        self.seen.learn(service, {name: value for name, value in answer.items() if name != "ResponseMetadata"})
        return answer

    def _bucket(self) -> str:
        return self.rng.choice(BUCKETS)

    def _uploads(self) -> None:
        key, bucket = self.rng.choice(KEYS[:6]), self._bucket()
        upload = self._learn("s3", self.s3.create_multipart_upload, Bucket=bucket, Key=key)["UploadId"]
        self.seen.learn("s3", f"{bucket}|{key}|{upload}", "s3.upload")
        for number in range(1, self.rng.choice((2, 3))):
            where = {"Bucket": bucket, "Key": key, "UploadId": upload}
            self._learn("s3", self.s3.upload_part, **where, PartNumber=number, Body=self.rng.randbytes(1000))

    def _objects(self) -> None:
        for key in KEYS:
            self.s3.put_object(Bucket=self._bucket(), Key=key, Body=b"1,2\n3,4\n", Tagging="a=b", Metadata={"a": "b"})

    def _secrets(self) -> None:
        for name in NAMES:
            with contextlib.suppress(ClientError):
                self.vault.restore_secret(SecretId=name)
            with contextlib.suppress(ClientError):
                self._learn("secretsmanager", self.vault.create_secret, Name=name, SecretString="{}")

    def _statements(self) -> None:
        text = self.rng.choice(
            ("select 1 as a", "select i from generate_series(1, 5000) as g(i)", "select 'a' union select 'b'")
        )
        form = self.rng.choice(("JSON", "CSV"))
        where = {"Database": "dev", "ClusterIdentifier": "restframe", "ResultFormat": form}
        if self.rng.random() < 0.3:
            where["SessionKeepAliveSeconds"] = 2
        self._learn("redshift-data", self.data.execute_statement, Sql=text, **where)
        self._learn("redshift-data", self.data.batch_execute_statement, Sqls=[text, "select 2"], **where)

    def _logs(self) -> None:
        for name in NAMES[:3]:
            with contextlib.suppress(ClientError):
                self.logs.create_log_group(logGroupName=name)
            with contextlib.suppress(ClientError):
                self.logs.create_log_stream(logGroupName=name, logStreamName=name)
            events = [{"timestamp": int(time.time() * 1000), "message": f"value={n};"} for n in range(20)]
            self.logs.put_log_events(logGroupName=name, logStreamName=name, logEvents=events)
            self._learn("logs", self.logs.get_log_events, logGroupName=name, logStreamName=name, limit=5)

    def _job(self) -> None:
        if self.trained:
            return
        self.trained = True
        rows = "\n".join(str(self.rng.random()) for _ in range(300)).encode()
        self.s3.upload_fileobj(io.BytesIO(rows), "fuzz-one", "train/rows.csv")
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://fuzz-one/train/"}}
        self.sagemaker.create_training_job(
            TrainingJobName="rides",
            AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            HyperParameters={"feature_dim": "1"},
            RoleArn=ROLE,
            InputDataConfig=[{"ChannelName": "train", "DataSource": source, "ContentType": "text/csv;label_size=0"}],
            OutputDataConfig={"S3OutputPath": "s3://fuzz-one/models"},
            ResourceConfig={"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )

    def _models(self) -> None:
        url = "s3://fuzz-one/models/rides/output/model.tar.gz"
        for name in NAMES[:3]:
            with contextlib.suppress(ClientError):
                container = {"Image": IMAGE, "ModelDataUrl": url}
                request = {"ModelName": name, "PrimaryContainer": container, "ExecutionRoleArn": ROLE}
                self._learn("sagemaker", self.sagemaker.create_model, **request)
            with contextlib.suppress(ClientError):
                variant = {
                    "VariantName": "a",
                    "ModelName": name,
                    "InitialInstanceCount": 1,
                    "InstanceType": "ml.m4.xlarge",
                }
                request = {"EndpointConfigName": name, "ProductionVariants": [variant]}
                self._learn("sagemaker", self.sagemaker.create_endpoint_config, **request)

    def _endpoints(self) -> None:
        for name in NAMES[:2]:
            with contextlib.suppress(ClientError):
                self._learn("sagemaker", self.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name)

    def _invocations(self) -> None:
        self.runtime.invoke_endpoint(EndpointName="rides", ContentType="text/csv", Body=b"1.5\n2.5\n")

    def _cluster(self) -> None:
        with contextlib.suppress(ClientError):
            self.redshift.resume_cluster(ClusterIdentifier="restframe")
        self.s3.put_bucket_tagging(Bucket=self._bucket(), Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        self.s3.put_bucket_cors(
            Bucket=self._bucket(),
            CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]},
        )
