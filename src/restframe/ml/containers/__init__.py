"""SageMaker's built-in containers, one module each: hyper-parameters, channels, log lines, artefact and requests."""
