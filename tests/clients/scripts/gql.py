"""Ask with gql's Client, which reads the schema from our server and checks each query against it; and by GET without it."""

import json
import sys

import requests
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport

URL = f"{sys.argv[1]}/graphql"
ROW = {"island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "body_mass_g": 4500}
QUERY = "query ($i: [Instance!]!) { predict(instances: $i) { prediction probabilities { label value } } models { name version } }"
VARIABLES = {"i": [ROW, {"sex": "female"}]}


def asked(instances):
    query = gql(QUERY)
    query.variable_values = {"i": instances}
    return query


client = Client(transport=RequestsHTTPTransport(URL), fetch_schema_from_transport=True)
with client as session:
    right = session.execute(asked(VARIABLES["i"]))
    try:
        session.execute(asked([{"island": "Nowhere"}]))
    except TransportQueryError as error:
        refused = error.errors
read = requests.get(URL, params={"query": QUERY, "variables": json.dumps(VARIABLES)}, timeout=60).json()
print(json.dumps({"right": right, "refused": refused, "types": sorted(client.schema.type_map), "read": read}))
