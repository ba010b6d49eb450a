import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureDebianPackage } from "../../scripts/debian.ts";
import { runProgram } from "../../scripts/programs.ts";

/** A certificate and its private key, in PEM, and the paths of both. */
export type Certified = { certificate: string; key: string; files: { cert: string; key: string } };

/** An authority of its own, which signs certificates until `remove()`. */
export async function newAuthority() {
  const folder = mkdtempSync(join(tmpdir(), "second-step-certificates-"));
  const openssl = await ensureDebianPackage("openssl", "openssl", () => {});
  const path = (name: string) => join(folder, name);
  const make = async (name: string, args: string[]): Promise<Certified> => {
    const files = { cert: path(`${name}.pem`), key: path(`${name}.key`) };
    await runProgram(openssl, [
      ...["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
      ...["-subj", `/CN=${name}`, "-keyout", files.key, "-out", files.cert, ...args],
    ]);
    return {
      certificate: readFileSync(files.cert, "utf8"),
      key: readFileSync(files.key, "utf8"),
      files,
    };
  };
  const root = await make("authority", ["-days", "2"]);
  return {
    certificate: root.certificate,
    file: root.files.cert,
    /** A certificate for this name that is valid for so many days. */
    issue: (name: string, days = 1) =>
      make(name, [
        ...["-CA", root.files.cert, "-CAkey", root.files.key, "-days", String(days)],
        ...[
          "-addext",
          `subjectAltName=DNS:${name}`,
          "-addext",
          "basicConstraints=critical,CA:FALSE",
        ],
      ]),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

export type Authority = Awaited<ReturnType<typeof newAuthority>>;
