import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackage } from "./debian.ts";
import { cachedPrograms, cacheFolder } from "./folders.ts";
import { findProgram, runProgram } from "./programs.ts";
import { type Report, withHeartbeat } from "./progress.ts";
import { temporalDownloadsAreReachable } from "./temporal-cli.ts";

const VERSION = "1.38.0";
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
const NAME = `temporal-test-server-${VERSION}`;

/**
 * The path of Temporal's time-skipping test server, brought by Maven once and kept. Undefined where
 * there is no Maven and the SDK can download one by itself.
 */
export async function ensureTimeSkippingServer(report: Report): Promise<string | undefined> {
  const present = findProgram(NAME);
  if (present) return present;
  if (!findProgram("mvn") && (await temporalDownloadsAreReachable())) return undefined;
  // Debian's Maven brings a Java.
  const maven = await ensureDebianPackage("mvn", "maven", report);
  const java = await ensureDebianPackage("java", "default-jre-headless", report);
  report("Bringing Temporal's time-skipping server with Maven");
  await withHeartbeat("Bringing the time-skipping server", report, copyLibraries(maven));
  return writeLauncher(java);
}

const libraries = join(cacheFolder, NAME);

async function copyLibraries(maven: string): Promise<void> {
  if (existsSync(libraries)) return;
  const folder = join(cacheFolder, `${NAME}.${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const project = join(folder, "pom.xml");
  writeFileSync(project, POM);
  const output = join(folder, "lib");
  await runProgram(maven, [
    ...["-q", "-B", "-f", project, COPY],
    ...["-DincludeScope=runtime", `-DoutputDirectory=${output}`],
  ]);
  renameSync(output, libraries);
  rmSync(folder, { recursive: true });
}

function writeLauncher(java: string): string {
  mkdirSync(cachedPrograms, { recursive: true });
  const launcher = join(cachedPrograms, NAME);
  // The SDK waits five seconds for it, and each test file starts one: quick to start beats quick.
  const flags = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
  const arguments_ = `${flags} -cp '${libraries}/*' io.temporal.testserver.TestServer "$@"`;
  writeFileSync(launcher, `#!/bin/sh\nexec '${java}' ${arguments_}\n`);
  chmodSync(launcher, 0o755);
  return launcher;
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>time-skipping</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;
