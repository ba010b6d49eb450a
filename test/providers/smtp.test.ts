import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { MailGateway } from "../../providers/mail/mail.ts";
import { smtpGateway } from "../../providers/mail/smtp.ts";
import { selfSigned, startMailServer } from "../support/mail-server.ts";

const FROM = "Second Step <notices@second-step.example>";
const MAIL = {
  id: "4f1c",
  to: "alice@example.com",
  subject: "Second Step: A device was added",
  body: `${"A device was added to your login. ".repeat(5)}\nGrüße\n.\nThe end.\n`,
};

let tls: { key: string; cert: string };
beforeAll(async () => {
  tls = await selfSigned();
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function server(options: Parameters<typeof startMailServer>[0] = {}) {
  const started = await startMailServer(options);
  closing.push(started.stop);
  return started;
}

function gateway(url: string): MailGateway {
  const made = smtpGateway(url, FROM);
  closing.push(made.close);
  return made;
}

/** The URL parameter that makes the client trust the server's certificate. */
const trusting = () => `tls.ca=${encodeURIComponent(tls.cert)}`;

const onAuth: Parameters<typeof startMailServer>[0] = {
  authOptional: false,
  onAuth({ username, password }, _session, done) {
    if (username === "mailer" && password === "a/b@c") return done(null, { user: username });
    done(Object.assign(new Error("No"), { responseCode: 535 }));
  },
};

test("a mail arrives word by word, from the sender, under its id", async () => {
  const { port, mails } = await server();
  const { send } = gateway(`smtp://127.0.0.1:${port}`);
  expect(await send(MAIL)).toBe("sent");
  const [mail] = mails;
  expect(mail).toMatchObject({ from: "notices@second-step.example", to: MAIL.to, secure: false });
  expect(mail?.body.replaceAll("\r\n", "\n")).toBe(MAIL.body);
  expect(mail?.headers).toMatchObject({
    from: FROM,
    to: MAIL.to,
    subject: MAIL.subject,
    "message-id": "<4f1c@second-step.example>",
    "auto-submitted": "auto-generated",
    "content-type": "text/plain; charset=utf-8",
  });
});

const many = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({ ...MAIL, id: `mail-${from + n}` }));

test("mails sent at once all arrive, and so do later ones", async () => {
  const { port, mails } = await server();
  const { send } = gateway(`smtp://127.0.0.1:${port}`);
  for (const all of [many(0, 30), many(30, 40)])
    expect(new Set(await Promise.all(all.map(send)))).toEqual(new Set(["sent"]));
  expect(new Set(mails.map(({ headers }) => headers["message-id"])).size).toBe(40);
});

describe("TLS", () => {
  test("STARTTLS is used, and the password goes over it", async () => {
    const { port, mails } = await server({ ...tls, ...onAuth });
    const { send } = gateway(`smtp://mailer:a%2Fb%40c@localhost:${port}?${trusting()}`);
    expect(await send(MAIL)).toBe("sent");
    expect(mails).toMatchObject([{ secure: true, user: "mailer" }]);
  });

  test("smtps speaks TLS from the first byte", async () => {
    const { port, mails } = await server({ ...tls, ...onAuth, secure: true });
    const { send } = gateway(`smtps://mailer:a%2Fb%40c@localhost:${port}?${trusting()}`);
    expect(await send(MAIL)).toBe("sent");
    expect(mails).toMatchObject([{ secure: true, user: "mailer" }]);
  });

  test("attack: a server with an untrusted certificate gets neither password nor mail", async () => {
    const passwords: unknown[] = [];
    const { port, mails } = await server({
      ...tls,
      onAuth({ password }, _session, done) {
        passwords.push(password);
        done(null, { user: "mailer" });
      },
    });
    const { send } = gateway(`smtp://mailer:a%2Fb%40c@localhost:${port}`);
    await expect(send(MAIL)).rejects.toThrow(/certificate/);
    expect([...passwords, ...mails]).toEqual([]);
  });

  test("attack: if STARTTLS is removed from the server's answer, the password is not sent", async () => {
    const { port, heard } = await plainServer();
    const { send } = gateway(`smtp://mailer:a%2Fb%40c@127.0.0.1:${port}`);
    await expect(send(MAIL)).rejects.toThrow();
    expect(heard()).toMatch(/STARTTLS/);
    expect(heard()).not.toMatch(/AUTH|MAIL FROM/);
  });
});

describe("refusals", () => {
  test.each([550, 551, 553])("a recipient refused by %i is reported as refused", async (code) => {
    const { port, mails } = await server({ refuses: () => code });
    expect(await gateway(`smtp://127.0.0.1:${port}`).send(MAIL)).toBe("refused");
    expect(mails).toEqual([]);
  });

  test("a mail refused after its text is reported as refused", async () => {
    const { port } = await server({ refusesMails: 554 });
    expect(await gateway(`smtp://127.0.0.1:${port}`).send(MAIL)).toBe("refused");
  });

  test.each([421, 450, 452])(
    "a recipient deferred by %i is an error, to be tried again",
    async (code) => {
      const { port } = await server({ refuses: () => code });
      await expect(gateway(`smtp://127.0.0.1:${port}`).send(MAIL)).rejects.toThrow();
    },
  );

  test("a wrong password is an error: it is our mistake, not the recipient's", async () => {
    const { port } = await server({ ...tls, ...onAuth });
    const { send } = gateway(`smtp://mailer:wrong@localhost:${port}?${trusting()}`);
    await expect(send(MAIL)).rejects.toThrow(/Invalid login/);
  });

  test("a refused sender is an error", async () => {
    const { port } = await server({
      onMailFrom: (_address, _session, done) =>
        done(Object.assign(new Error("No"), { responseCode: 553 })),
    });
    await expect(gateway(`smtp://127.0.0.1:${port}`).send(MAIL)).rejects.toThrow();
  });

  test("a server that is away is an error; once it is back, the next mail reaches it", async () => {
    const { port, stop } = await startMailServer();
    const { send } = gateway(`smtp://127.0.0.1:${port}`);
    expect(await send(MAIL)).toBe("sent");
    await stop();
    await expect(send(MAIL)).rejects.toThrow();
    const { mails } = await server({ port });
    expect(await send(MAIL)).toBe("sent");
    expect(mails).toHaveLength(1);
  });
});

/** An SMTP server without TLS, as an attacker in the middle would run it. */
async function plainServer() {
  let heard = "";
  const listening = createServer((socket) => {
    socket.write("220 mail\r\n");
    socket.on("error", () => {});
    socket.on("data", (data) => {
      heard += data;
      if (/^EHLO/.test(String(data))) socket.write("250-mail\r\n250 AUTH PLAIN\r\n");
      else if (/^STARTTLS/.test(String(data))) socket.write("502 no\r\n");
      else socket.write("250 ok\r\n");
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  closing.push(() => new Promise((resolve) => listening.close(resolve)));
  return { port: (listening.address() as AddressInfo).port, heard: () => heard };
}
