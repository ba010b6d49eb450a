import { ensureDebianPackage } from "./debian.ts";
import { writeJavaLauncher } from "./java.ts";
import { mavenLibraries } from "./maven.ts";
import { findProgram } from "./programs.ts";
import type { Report } from "./progress.ts";
import { temporalDownloadsAreReachable } from "./temporal-cli.ts";

const VERSION = "1.38.0";
const NAME = `temporal-test-server-${VERSION}`;
const ARTIFACT = {
  groupId: "io.temporal",
  artifactId: "temporal-test-server",
  version: VERSION,
};

/**
 * The path of Temporal's time-skipping test server, which Maven downloads once. Undefined if there
 * is no Maven and the SDK can download a server by itself.
 */
export async function ensureTimeSkippingServer(report: Report): Promise<string | undefined> {
  const present = findProgram(NAME);
  if (present) return present;
  if (!findProgram("mvn") && (await temporalDownloadsAreReachable())) return undefined;
  const libraries = await mavenLibraries(ARTIFACT, report);
  const java = await ensureDebianPackage("java", "default-jre-headless", report);
  const main = "io.temporal.testserver.TestServer";
  return writeJavaLauncher(NAME, { java, classes: [`${libraries}/*`], main });
}
