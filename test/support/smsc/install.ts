import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDebianPackage } from "../../../scripts/debian.ts";
import { cacheFolder } from "../../../scripts/folders.ts";
import { writeJavaLauncher } from "../../../scripts/java.ts";
import { mavenLibraries } from "../../../scripts/maven.ts";
import { findProgram, runProgram } from "../../../scripts/programs.ts";
import type { Report } from "../../../scripts/progress.ts";

const ARTIFACT = { groupId: "org.jsmpp", artifactId: "jsmpp", version: "3.0.1" };
const SOURCE = join(import.meta.dirname, "Smsc.java");

/** The path of the tests' SMSC, compiled once against jSMPP and kept. */
export async function ensureSmsc(report: Report): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(SOURCE)).digest("hex");
  const name = `smsc-${digest.slice(0, 12)}`;
  const present = findProgram(name);
  if (present) return present;
  const libraries = await mavenLibraries(ARTIFACT, report);
  const javac = await ensureDebianPackage("javac", "default-jdk-headless", report);
  const java = await ensureDebianPackage("java", "default-jdk-headless", report);
  const classes = join(cacheFolder, name);
  await runProgram(javac, ["-cp", `${libraries}/*`, "-d", classes, SOURCE]);
  return writeJavaLauncher(name, { java, classes: [classes, `${libraries}/*`], main: "Smsc" });
}
