from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from integrations.catalogue import checking, entries, generator, mock


class Command(BaseCommand):
    help = "The catalogue of GHL's operations: make it anew from OpenAPI files, or check it."

    def add_arguments(self, parser):
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--generate", metavar="DIR", help="a folder of GHL's OpenAPI files: write the catalogue")
        act.add_argument("--check", action="store_true", help="look whether every entry is in order")
        parser.add_argument("--spec", metavar="DIR", help="with --check: send every action to a server made from these")
        parser.add_argument("--mock-url", metavar="URL", help="with --check: the server to send every action to")
        parser.add_argument("--prism", metavar="FILE", help="where Prism is, unless it is on the PATH")

    def handle(self, *args, **options):
        if options["generate"]:
            return self.generate(options["generate"])
        troubles = self.every_entry()
        if options["mock_url"]:
            every = list(entries.operations().values())
            troubles += self.judged("the server", list(mock.refusals(options["mock_url"], every)), len(every))
        elif options["spec"]:
            troubles += self.send_all(options["spec"], options["prism"] or mock.prism())
        if troubles:
            raise CommandError(f"{troubles} of these need somebody.", returncode=1)
        self.stdout.write("In order.")

    def generate(self, folder):
        if not (Path(folder) / "apps").is_dir():
            raise CommandError(f"{folder} has no folder apps with OpenAPI files.")
        try:
            operations, triggers = generator.generate(folder)
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"These files could not be read: {error!r}") from error
        self.stdout.write(f"{operations} actions and {triggers} triggers written.")

    def every_entry(self):
        troubles = [*checking.troubles_of_operations(), *checking.troubles_of_triggers()]
        for trouble in troubles:
            self.stderr.write(trouble)
        actions, triggers = len(entries.operations()), len(entries.triggers())
        self.stdout.write(f"{actions + triggers} entries: {actions} actions, {triggers} triggers.")
        self.stdout.write(f"Each action builds a short and a whole request, each trigger's payload is read: "
                          f"{len(troubles)} in trouble.")  # fmt: skip
        return len(troubles)

    def send_all(self, folder, prism):
        if not prism:
            raise CommandError("Prism is not here: npm install @stoplight/prism-cli, or give --mock-url.")
        troubles = 0
        for file, operations in mock.files_of(folder):
            with mock.server_of(file, prism) as url:
                troubles += self.judged(file.name, list(mock.refusals(url, operations)), len(operations))
        return troubles

    def judged(self, name, refused, count):
        for operation, why in refused:
            self.stderr.write(f"  {operation.key}: {mock.excerpt(why)}")
        self.stdout.write(f"{name}: {count - len(refused)} of {count} actions accepted.")
        return len(refused)
