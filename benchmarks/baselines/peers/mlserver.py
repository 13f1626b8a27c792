"""Write the settings of MLServer for a scikit-learn model; `mlserver start .` reads them.

https://mlserver.readthedocs.io/en/stable/examples/sklearn/README.html
"""

import json
from pathlib import Path

settings = {"name": "model", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "./model.joblib"}}
Path("model-settings.json").write_text(json.dumps(settings))
