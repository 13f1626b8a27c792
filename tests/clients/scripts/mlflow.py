"""Ask with MLflow's ScoringServerClient."""

import json
import sys
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

URL = urlsplit(sys.argv[1])
ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}
ROW |= {"sex": "female", "year": 2007}
FRAME = pd.DataFrame([ROW, {**ROW, "body_mass_g": np.nan, "sex": "male"}])

client = ScoringServerClient(URL.hostname, URL.port)
client.wait_server_ready(timeout=30)
try:
    client.invoke(FRAME.drop(columns="year"))
except Exception as error:
    wrong = str(error)
answers = client.invoke(FRAME).get_predictions()
several = client.invoke(FRAME, params={"outputs": ["predictions", "probabilities"]}).get_predictions(predictions_format="ndarray")
print(json.dumps({"answers": answers.iloc[:, 0].tolist(), "keys": sorted(several[0]), "wrong": wrong}))
