import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackage } from "./debian.ts";
import { cacheFolder } from "./folders.ts";
import { runProgram } from "./programs.ts";
import { type Report, withHeartbeat } from "./progress.ts";

const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

type Artifact = { groupId: string; artifactId: string; version: string };

/**
 * The folder with an artifact's JAR and all that it needs. Maven downloads them once. If Maven is
 * missing and this process is root, installs it; otherwise throws a SetUpError.
 */
export async function mavenLibraries(artifact: Artifact, report: Report): Promise<string> {
  const name = `${artifact.artifactId}-${artifact.version}`;
  const libraries = join(cacheFolder, name);
  if (existsSync(libraries)) return libraries;
  const maven = await ensureDebianPackage("mvn", "maven", report);
  report(`Downloading ${name} with Maven`);
  await withHeartbeat(`Downloading ${name}`, report, copy(maven, artifact, libraries));
  return libraries;
}

async function copy(maven: string, artifact: Artifact, libraries: string): Promise<void> {
  const folder = `${libraries}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  const project = join(folder, "pom.xml");
  writeFileSync(project, pomOf(artifact));
  const output = join(folder, "lib");
  await runProgram(maven, [
    ...["-q", "-B", "-f", project, COPY],
    ...["-DincludeScope=runtime", `-DoutputDirectory=${output}`],
  ]);
  renameSync(output, libraries);
  rmSync(folder, { recursive: true });
}

const pomOf = ({
  groupId,
  artifactId,
  version,
}: Artifact) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>libraries</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>${groupId}</groupId>
      <artifactId>${artifactId}</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
`;
