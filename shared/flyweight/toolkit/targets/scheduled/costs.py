"""The costs of scheduled jobs: in AWS Batch, by Step Functions, on Cloud Run, on Container Apps, and on your own machine."""

from __future__ import annotations

from dataclasses import replace

from flyweight.toolkit.costs.batch import AT_ONCE, files, in_pieces, job, own_job, processor_hours
from flyweight.toolkit.costs.options import ratings
from flyweight.toolkit.costs.prices import Bill, Line, metered
from flyweight.toolkit.costs.workload import Workload
from flyweight.toolkit.targets.aws.costs import lambda_lines, lambda_share, watching
from flyweight.toolkit.targets.costs import Costs, Made, Settings

TASK = "2/4096/X86_64"  # Cpu, Memory and Architecture of a task that no parameters describe: infra/scheduled/aws_batch.yaml
CLOUD_RUN_GIB = 1  # of a processor: 2 and 2Gi of platforms/cloud_run_jobs.py
CONTAINER_APP_GIB = 2  # of a processor: 2 and 4Gi of infra/scheduled/container_apps.json
STATES = 3  # transitions for a file at most: its start, its call and its end
IMAGE = ratings(
    scalability=(4, "as many tasks as you name share the files"),
    security=(5, "no open endpoint; permissions per bucket"),
    ease=(4, "an image to push, then one command; nothing runs between the runs"),
    integration=(4, "files of every format, schedules and logs of the same cloud"),
)
MAP = ratings(
    scalability=(5, "up to a thousand files at the same time"),
    security=(5, "no open endpoint; permissions per bucket"),
    ease=(4, "the function first, then one command"),
    integration=(4, "states before and after the map"),
)
OWN = ratings(
    scalability=(1, "the cores of one machine"),
    security=(3, "data stays with you; you patch and harden the system"),
    ease=(4, "one command; the machine is yours to maintain"),
    integration=(2, "files and stores that the machine reaches"),
)


def aws_batch(work: Workload) -> Bill:
    """Price tasks on Fargate; AWS Batch and its schedule add nothing."""
    cpus, memory, architecture = (work.machine or TASK).split("/")
    arm, taken = ".arm" if architecture == "ARM64" else "", processor_hours(work)
    lines = [
        metered("task CPU, vCPU-hours", taken, f"fargate{arm}.vcpu_hour"),
        metered("task memory, GB-hours", taken * int(memory) / 1024 / int(cpus), f"fargate{arm}.gb_hour"),
    ]
    return Bill((*lines, *files(work, "s3", "aws.egress.gb")))


def step_functions(work: Workload) -> Bill:
    """Price the calls of the function, and the transitions of the states around each."""
    pieces = in_pieces(work)
    states = metered("state transitions", STATES * pieces.requests, "stepfunctions.transition", "stepfunctions.free.transition")
    return Bill((*lambda_lines(pieces), states, *files(work, "s3", "aws.egress.gb")))


def cloud_run(work: Workload) -> Bill:
    """Price the tasks' processors and memory, and the job of Cloud Scheduler."""
    seconds = 3600 * processor_hours(work)
    lines = [
        metered("CPU, vCPU-seconds", seconds, "run.always.vcpu_second", "run.always.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * CLOUD_RUN_GIB, "run.always.gib_second", "run.always.free.gib_second"),
        metered("job of Cloud Scheduler", 1, "scheduler.job", "scheduler.free.job"),
    ]
    return Bill((*lines, *files(work, "gcs", "gcp.egress.gb")))


def container_apps(work: Workload) -> Bill:
    """Price the replica's processors and memory while a run takes."""
    seconds = 3600 * processor_hours(work)
    lines = [
        metered("CPU, vCPU-seconds", seconds, "aca.vcpu_second", "aca.free.vcpu_second"),
        metered("memory, GiB-seconds", seconds * CONTAINER_APP_GIB, "aca.gib_second", "aca.free.gib_second"),
    ]
    return Bill((*lines, *files(work, "blob", "azure.egress.gb")))


def shape(work: Workload, settings: Settings) -> Workload:
    """Adapt the workload to the parameters of a platform."""
    task = "/".join(settings[name] for name in ("Cpu", "Memory", "Architecture") if name in settings)
    return replace(work, machine=task if task.count("/") == 2 else "")


def resources(made: Made) -> tuple[list[Line], list[str]]:
    """Price the image and the log where a cloud keeps them."""
    platform, gigabytes = made.settings.get("platform", ""), made.work.measured.folder / 1e9
    counted = "not counted: the layers of the image's base, and the time in which a task starts"
    if platform == "aws_batch":
        lines = [*watching(made), metered("image kept, GB", gigabytes, "ecr.gb")]
        return lines, ["roles, queues and schedules are free", counted]
    if platform == "step_functions":
        return watching(made), ["roles and schedules are free", "the function is deployed first: flyweight deploy aws"]
    if platform == "cloud_run_jobs":
        return [metered("image kept, GB", gigabytes, "artifacts.gb")], ["identities and permissions are free", counted]
    if platform == "container_apps_jobs":
        return [metered("registry of images, Basic", 1, "acr.month")], ["identities and roles are free", counted]
    return [], ["it creates nothing that is paid"]


BUCKETS = {"InputBucket": "BUCKET", "OutputBucket": "BUCKET"}
COSTS = Costs(
    (
        own_job("Timer on your own machine", OWN, "systemd", input="FOLDER"),
        own_job("Cron on your own machine", OWN, "cron", input="FOLDER", output="FOLDER"),
        job(
            "AWS Batch", "aws", aws_batch, IMAGE, "aws_batch", 2048, 20, "two processors a task",
            Tasks="10", Image="IMAGE", VpcId="VPC", SubnetIds="SUBNETS", **BUCKETS,
        ),
        replace(
            job(
                "Step Functions over Lambda", "aws", step_functions, MAP, "step_functions", 10240, AT_ONCE,
                "deploy the function first: flyweight deploy aws", FunctionArn="ARN", Bucket="BUCKET",
            ),
            slowed=lambda work: 1 / lambda_share(work.memory_mb),
        ),
        job(
            "Cloud Run job", "gcp", cloud_run, IMAGE, "cloud_run_jobs", 1024, 20, "two processors a task",
            tasks="10", image="IMAGE", account="ACCOUNT", input="gs://BUCKET/FILES", output="gs://BUCKET/FOLDER",
        ),
        job(
            "Container Apps job", "azure", container_apps, IMAGE, "container_apps_jobs", 2048, 2, "one replica",
            image="IMAGE", account="ACCOUNT",
        ),
    ),
    shape,
    resources,
)  # fmt: skip
