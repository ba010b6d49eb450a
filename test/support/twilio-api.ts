import { createServer, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

export type TwilioRequest = {
  path: string;
  user: string;
  password: string;
  form: Record<string, string>;
};

/** The answer to the next message: accepted (at once or late), an error, rubbish, or none. */
export type TwilioAnswer =
  | "taken"
  | "slowly taken"
  | "rubbish"
  | "silence"
  | { status: number; code: number; message: string };

const SLOW_MS = 4_000;

/** A server that answers POST /2010-04-01/Accounts/{sid}/Messages.json as api.twilio.com does. */
export async function startTwilioApi() {
  const requests: TwilioRequest[] = [];
  let answer: TwilioAnswer = "taken";
  const server = createServer(async (request, response) => {
    const read = await readRequest(request);
    requests.push(read);
    if (answer === "silence") return;
    if (answer === "rubbish") return void response.writeHead(502).end("<html>Bad Gateway</html>");
    if (answer === "slowly taken") await sleep(SLOW_MS);
    const [status, body] =
      typeof answer === "string" ? [201, taken(read)] : [answer.status, refused(answer)];
    response.writeHead(status, { "content-type": "application/json;charset=utf-8" });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer(next: TwilioAnswer) {
      answer = next;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(request: IncomingMessage): Promise<TwilioRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const [, basic = ""] = (request.headers.authorization ?? "").split(" ");
  const [user = "", password = ""] = Buffer.from(basic, "base64").toString().split(":");
  const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
  return { path: `${request.method} ${request.url}`, user, password, form };
}

/** The Message resource, as https://www.twilio.com/docs/messaging/api/message-resource shows it. */
function taken({ user, form }: TwilioRequest) {
  const sid = `SM${"0".repeat(32)}`;
  return {
    account_sid: user,
    api_version: "2010-04-01",
    body: form.Body,
    date_created: "Thu, 24 Aug 2023 05:01:45 +0000",
    date_sent: null,
    date_updated: "Thu, 24 Aug 2023 05:01:45 +0000",
    direction: "outbound-api",
    error_code: null,
    error_message: null,
    from: form.From ?? null,
    messaging_service_sid: form.MessagingServiceSid ?? null,
    num_media: "0",
    num_segments: "1",
    price: null,
    price_unit: null,
    sid,
    status: "queued",
    subresource_uris: { media: `/2010-04-01/Accounts/${user}/Messages/${sid}/Media.json` },
    to: form.To,
    uri: `/2010-04-01/Accounts/${user}/Messages/${sid}.json`,
  };
}

function refused({ status, code, message }: Exclude<TwilioAnswer, string>) {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}
