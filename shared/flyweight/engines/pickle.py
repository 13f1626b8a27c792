"""Run an estimator that only a joblib pickle can store; a pickle is code, and runs only where both sides allow it."""

import warnings
from io import BytesIO

from flyweight import settings
from flyweight.engines import _estimator, _foreign
from flyweight.errors import ModelRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flyweight.models.file import ModelFile


class Engine(_estimator.Engine):
    """The engine that runs an estimator from a pickle, in a deployment that sets FLYWEIGHT_ALLOW_PICKLE=1.

    :param allowed: whether pickles are allowed; None asks the deployment's settings.
    :raises ModelRefused: pickles are not allowed, the pickle can't be read, or the estimator fails its trial.
    :raises ImportError: the pickle needs a library that is not installed.
    """

    BLOB = "pickle"

    def __init__(self, file: "ModelFile", allowed: "bool | None" = None) -> None:
        if not (settings.permissions().allow_pickle if allowed is None else allowed):
            raise ModelRefused(
                "the model in this file is a pickle, and reading a pickle runs any code that is in it; only for a file that you "
                "made yourself, set FLYWEIGHT_ALLOW_PICKLE=1",
                "set FLYWEIGHT_ALLOW_PICKLE=1 if you made the file, or pack the estimator without --allow-pickle",
            )
        data = _foreign.blob(file, self.BLOB)
        import joblib

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                estimator = joblib.load(BytesIO(data))
        except ImportError:
            raise
        except Exception as error:  # a pickle can raise anything
            raise ModelRefused(f"the pickle can't be read: {type(error).__name__}") from error
        super().__init__(file, estimator)
