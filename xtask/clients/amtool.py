"""Debian's amtool, told how to reach Tocsin by the file that it takes for that. What is asked of it, it does not know."""

import json
import os
import subprocess
import tempfile

from house import same


class Amtool:
    """The program, with the keys of a house."""

    def __init__(self, program, house):
        self.program, self.url = program, f"{house.url}/alertmanager"
        self.folder = tempfile.TemporaryDirectory(prefix="amtool-")
        self.config = os.path.join(self.folder.name, "http.yml")
        with open(self.config, "w", encoding="utf-8") as file:
            # What is JSON is YAML too.
            json.dump({"authorization": {"credentials": house.token}, "tls_config": {"ca_file": house.ca}}, file)

    def ask(self, *words):
        """Runs it; its exit code and all that it said."""
        command = [self.program, f"--alertmanager.url={self.url}", f"--http.config.file={self.config}", *words]
        # Whatever its user has set up elsewhere does not count.
        environment = {"HOME": self.folder.name, "PATH": os.environ.get("PATH", "")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
        return done.returncode, done.stdout, done.stderr

    def run(self, *words):
        """What it printed, having done it."""
        code, out, error = self.ask(*words)
        same(code, 0, f"amtool {' '.join(words)}: {out}{error}")
        return out.strip()

    def listed(self, *words):
        """What it printed as JSON."""
        return json.loads(self.run(*words, "--output=json"))
