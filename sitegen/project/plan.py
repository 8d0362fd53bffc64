"""What is to be built: a project, or bundles alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sitegen import resources
from sitegen.bundle import Bundle, load_bundle
from sitegen.project.contents import site_options
from sitegen.project.settings import PROJECT_FILE, Project, read_project
from sitegen.site import build_site
from sitegen.site.build import BuiltSite, Report
from sitegen.site.options import SiteOptions


@dataclass(frozen=True)
class SitePlan:
    """The folders of the bundles of a site, the first being the one that the page begins with, and its project."""

    folders: tuple[Path, ...]
    project: Project | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd about the project's file, a sentence each."""
        return self.project.warnings if self.project else ()

    def load_bundles(self) -> list[Bundle]:
        """Read and check the bundles. Raises BundleError with everything that is wrong with one."""
        return [load_bundle(folder) for folder in self.folders]

    def build(
        self, out: Path, report: Report = lambda stage: None, *, without_service_worker: bool = False
    ) -> BuiltSite:
        """Build the site in the folder `out`, as `sitegen.site.build_site` does."""
        options = site_options(self.project) if self.project else SiteOptions()
        if without_service_worker:
            options = replace(options, service_worker=False)
        return build_site(self.load_bundles(), out, report, options)

    def sources(self) -> list[Path]:
        """Return the files and folders that the site is made of: when one changes, the site is out of date."""
        ours = [resources.templates(), resources.runtime_source()]
        if not self.project:
            return [*self.folders, *ours]
        settings = self.project.settings
        named = [*settings.wheels, *(example.image for example in settings.examples)]
        named += [settings.teaching.cases] if settings.teaching and settings.teaching.cases else []
        named += [settings.logo.image] if settings.logo else []
        return [self.project.file, *map(self.project.path, named), *self.folders, *ours]


def read_plan(file: Path | None = None, bundles: Sequence[Path] = (), *, strict: bool = False) -> SitePlan:
    """Return the plan of a project file, of the one in the current folder, or of bundles alone.

    Bundles that are named take the place of the project's; where none is named at all, it is the one that ships.
    Raises SettingsError where the project's file does not fit.
    """
    if file is None and Path(PROJECT_FILE).is_file():
        file = Path(PROJECT_FILE)
    project = read_project(file, strict=strict) if file else None
    ours = tuple(map(project.path, project.settings.bundles)) if project else ()
    return SitePlan(tuple(bundles) or ours or (resources.default_bundle(),), project)
