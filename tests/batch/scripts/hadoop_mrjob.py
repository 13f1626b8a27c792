"""A job of mrjob whose mapper is the mapper's file, run by mrjob's local runner, which splits the input."""

import json
import sys

from mrjob.job import MRJob


class Score(MRJob):
    """Each line goes to the mapper as it is."""

    def mapper_cmd(self) -> str:
        """Return the command line of the mapper."""
        return " ".join([self.options.interpreter, self.options.mapper_file, "--key id"])

    def configure_args(self) -> None:
        """Add the arguments."""
        super().configure_args()
        self.add_passthru_arg("--interpreter")
        self.add_passthru_arg("--mapper-file")


if __name__ == "__main__":
    job = Score(sys.argv[1:])
    with job.make_runner() as runner:
        runner.run()
        for chunk in runner.cat_output():
            sys.stdout.write(chunk.decode())
        sys.stderr.write("COUNTERS " + json.dumps(runner.counters()[0]["flyweight"]) + "\n")
