"""The costs of Spark: EMR Serverless, Dataproc Serverless, Databricks, Synapse, and clusters of one's own."""

from __future__ import annotations

from flyweight.toolkit.costs.batch import files, hours, job, own_job
from flyweight.toolkit.costs.options import ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.costs import Costs, Made

CORES, WORKER_GB = 4, 16  # of a driver and of each executor on EMR Serverless and Dataproc Serverless, by their defaults
# MaximumCpu of infra/spark/emr_serverless.yaml has room for a driver and three executors
EMR_EXECUTORS = 3
# spark.executor.instances by default: https://cloud.google.com/dataproc-serverless/docs/concepts/properties
DATAPROC_EXECUTORS = 2
DATAPROC_UNITS = 4  # DCU of a driver or an executor with 4 processors and 16 GB: the page of prices
NODES = 2  # `workers` of Databricks and `executors` of Synapse, besides the driver
NODE_CORES = 4  # of i3.xlarge, and of a small node of Synapse
STARTED = "not counted: the time in which the executors start"
SERVICE = ratings(
    scalability=(5, "executors are added while a run needs them, and a lost one is replaced"),
    security=(5, "no open endpoint, no system to patch; permissions per bucket"),
    ease=(2, "Python, tables, permissions and the release of the service to maintain"),
    integration=(5, "tables, catalogs, SQL and streams beside the model"),
)
OWN = ratings(
    scalability=(4, "the machines of your cluster"),
    security=(3, "data stays with you; you patch and harden the cluster"),
    ease=(2, "one command; the cluster is yours to maintain"),
    integration=(5, "tables, catalogs, SQL and streams beside the model"),
)


def emr(work: Workload) -> Bill:
    """Price the processors and memory of a driver and its executors."""
    workers = (EMR_EXECUTORS + 1) * hours(work, EMR_EXECUTORS * CORES)
    lines = [
        metered("driver and executors, vCPU-hours", workers * CORES, "emr.vcpu_hour"),
        metered("driver and executors, GB-hours", workers * WORKER_GB, "emr.gb_hour"),
    ]
    return Bill((*lines, *files(work, "s3", "aws.egress.gb")))


def dataproc(work: Workload) -> Bill:
    """Price the units of a driver and its executors."""
    units = (DATAPROC_EXECUTORS + 1) * DATAPROC_UNITS * hours(work, DATAPROC_EXECUTORS * CORES)
    return Bill((metered("driver and executors, DCU-hours", units, "dataproc.dcu_hour"), *files(work, "gcs", "gcp.egress.gb")))


def databricks(work: Workload) -> Bill:
    """Price machines on EC2 and their units; i3.xlarge is taken as one unit an hour."""
    nodes = (NODES + 1) * hours(work, NODES * NODE_CORES)
    lines = [
        metered("driver and workers, hours (i3.xlarge)", nodes, "ec2.i3_xlarge.hour"),
        metered("driver and workers, DBU", nodes, "databricks.dbu"),
    ]
    return Bill((*lines, *files(work, "s3", "aws.egress.gb")))


def synapse(work: Workload) -> Bill:
    """Price the processors of a driver and its executors."""
    cores = (NODES + 1) * NODE_CORES * hours(work, NODES * NODE_CORES)
    line = metered("driver and executors, vCore-hours", cores, "synapse.vcore_hour")
    return Bill((line, *files(work, "blob", "azure.egress.gb")))


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price nothing: a job leaves its files alone, and its log is the platform's."""
    return [], ["roles are free; the job shuffles nothing, and needs no disks", STARTED, "not counted: its log"]


COSTS = Costs(
    (
        own_job("Spark on your own cluster", OWN, "submit", input="TABLE", output="FOLDER", master="yarn"),
        own_job(
            "Spark on your own Kubernetes", OWN, "kubernetes", input="TABLE", output="FOLDER", image="IMAGE", files="FOLDER"
        ),
        job(
            "EMR Serverless", "aws", emr, SERVICE, "emr_serverless", WORKER_GB * 256, EMR_EXECUTORS * CORES, STARTED,
            bucket="BUCKET", input="s3://BUCKET/TABLE", output="s3://BUCKET/FOLDER", environment="s3://BUCKET/ENVIRONMENT",
        ),
        job(
            "Dataproc Serverless", "gcp", dataproc, SERVICE, "dataproc_serverless", WORKER_GB * 256, DATAPROC_EXECUTORS * CORES,
            STARTED, bucket="BUCKET", input="gs://BUCKET/TABLE", output="gs://BUCKET/FOLDER",
        ),
        job(
            "Databricks", "aws", databricks, SERVICE, "databricks", 7680, NODES * NODE_CORES, STARTED,
            input="/Volumes/TABLE", output="/Volumes/FOLDER",
        ),
        job(
            "Synapse", "azure", synapse, SERVICE, "synapse", 8192, NODES * NODE_CORES, STARTED,
            workspace="WORKSPACE", pool="POOL", account="ACCOUNT", input="TABLE", output="FOLDER",
        ),
    ),
    resources=resources,
    like="scheduled",
)  # fmt: skip
