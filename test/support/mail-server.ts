import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { ensureDebianPackage } from "../../scripts/debian.ts";

export type ReceivedMail = {
  from: string;
  to: string;
  /** Keyed by lower-case names. */
  headers: Record<string, string>;
  body: string;
  /** Whether the mail came over TLS; `user` is who authenticated. */
  secure: boolean;
  user?: string;
};

type Options = SMTPServerOptions & {
  port?: number;
  /** The reply code with which the server refuses a recipient; undefined accepts. */
  refuses?: (recipient: string) => number | undefined;
  /** The reply code with which the server refuses a mail after its content. */
  refusesMails?: number;
};

/** A real SMTP server that keeps the mails it accepts. Without a certificate it offers no TLS. */
export async function startMailServer({
  port = 0,
  refuses,
  refusesMails,
  ...options
}: Options = {}) {
  const mails: ReceivedMail[] = [];
  /** Every recipient that a client named, accepted or refused. */
  const asked: string[] = [];
  const server = new SMTPServer({
    authOptional: true,
    // ms. Do not wait longer for connections that a client's pool keeps open.
    closeTimeout: 100,
    ...(!options.cert && { disabledCommands: ["STARTTLS"] }),
    onRcptTo({ address }, _session, done) {
      asked.push(address);
      const responseCode = refuses?.(address);
      done(responseCode ? reply(responseCode) : null);
    },
    onData(stream, { envelope, secure, user }, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (refusesMails) return done(reply(refusesMails));
        const from = envelope.mailFrom ? envelope.mailFrom.address : "";
        const to = envelope.rcptTo.map(({ address }) => address).join(",");
        mails.push({ from, to, secure, user, ...parse(Buffer.concat(chunks).toString()) });
        done();
      });
    },
    ...options,
  });
  // A client's mistake shows in that client's own test, not here.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const listening = (server.server.address() as AddressInfo).port;
  return {
    port: listening,
    mails,
    asked,
    stop: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}

const reply = (responseCode: number) => Object.assign(new Error("Not taken"), { responseCode });

/** A key and a self-signed certificate for localhost. */
export async function selfSigned(): Promise<{ key: string; cert: string }> {
  const openssl = await ensureDebianPackage("openssl", "openssl", () => {});
  const folder = mkdtempSync(join(tmpdir(), "second-step-tls-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject];
    execFileSync(openssl, [...made, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** RFC 5322: headers, an empty line, the body. Here it is one part, maybe quoted-printable. */
function parse(mail: string): Pick<ReceivedMail, "headers" | "body"> {
  const end = mail.indexOf("\r\n\r\n");
  const lines = mail
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, " ")
    .split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const [name = ""] = line.split(":", 1);
      return [name.toLowerCase(), line.slice(name.length + 1).trim()];
    }),
  );
  const body = mail.slice(end + 4);
  const quoted = headers["content-transfer-encoding"] === "quoted-printable";
  return { headers, body: quoted ? unquote(body) : body };
}

function unquote(body: string): string {
  const bytes = body
    .replace(/=\r\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}
