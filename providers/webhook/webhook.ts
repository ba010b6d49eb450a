import { randomBytes } from "node:crypto";
import { lookup } from "node:dns";
import { type IncomingMessage, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { Webhook } from "standardwebhooks";
import {
  BLOCKED,
  bareHost,
  blocked,
  isPublicAddress,
  lookupPublic,
  type Resolve,
} from "./public-addresses.ts";

export type WebhookMessage = {
  url: string;
  /** `whsec_...` */
  secret: string;
  /** The same each time the event is sent. */
  id: string;
  at: Date;
  body: string;
};

/**
 * Sends a message once. Resolves with the HTTP status, or with a word for what went wrong. Never
 * throws.
 */
export type WebhookSender = { send(message: WebhookMessage): Promise<string> };

/** The longest answer that is read. */
const ANSWER_BYTES = 64 * 1024;

/** A new signing secret: 24 random bytes, in the form of Standard Webhooks. */
export const newWebhookSecret = () => `whsec_${randomBytes(24).toString("base64")}`;

/**
 * Sends messages as Standard Webhooks specifies, only to public addresses unless `inside`.
 * Redirects are not followed; they count as answers. Only the answer's status matters.
 */
export function webhookSender({
  inside,
  timeoutMs,
  resolve = lookup,
}: {
  inside: boolean;
  timeoutMs: number;
  resolve?: Resolve;
}): WebhookSender {
  return {
    async send({ url, secret, id, at, body }) {
      try {
        const options = {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            "user-agent": "second-step-webhooks",
            "webhook-id": id,
            "webhook-timestamp": Math.floor(at.getTime() / 1000),
            "webhook-signature": new Webhook(secret).sign(id, at, body),
          },
          // A new connection each time: a reused one would skip the address check.
          agent: false,
          signal: AbortSignal.timeout(timeoutMs),
          ...(!inside && { lookup: lookupPublic(resolve) }),
        } as const;
        const target = new URL(url);
        // IP addresses need no look-up, so they are checked here.
        const host = bareHost(target);
        if (!inside && isIP(host) && !isPublicAddress(host)) throw blocked();
        return String(await statusOf(target, options, body));
      } catch (error) {
        return wordFor(error);
      }
    },
  };
}

function statusOf(target: URL, options: RequestOptions, body: string): Promise<number> {
  const request = target.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request(target, options, (answer) => {
      resolve(answer.statusCode ?? 0);
      ignore(answer);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Lets the receiver finish its answer, up to a limit. */
function ignore(answer: IncomingMessage) {
  let bytes = 0;
  answer.on("error", () => {});
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) answer.destroy();
  });
}

const WORDS: Record<string, string> = {
  ABORT_ERR: "timeout",
  ETIMEDOUT: "timeout",
  [BLOCKED]: "blocked_address",
  EAI_AGAIN: "unknown_host",
  ENOTFOUND: "unknown_host",
  ECONNREFUSED: "unreachable",
  ECONNRESET: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EPIPE: "unreachable",
};

/** A word that never changes. The error's own text might quote the address. */
function wordFor(error: unknown): string {
  const { code = "" } = error as { code?: string };
  if (/CERT|SIGNATURE|SSL|TLS|EPROTO|ISSUER/.test(code)) return "untrusted_certificate";
  return WORDS[code] ?? "request_failed";
}
