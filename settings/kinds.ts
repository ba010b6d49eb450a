import { z } from "zod";
import { areCertificates, isPrivateKey } from "./certificates.ts";

/** A 32-byte key written as base64. */
export const key = z.base64().refine((text) => Buffer.from(text, "base64").length === 32, {
  message: "must be 32 bytes, base64-encoded (make one with: openssl rand -base64 32)",
});

/** `id:base64key,id:base64key`. The first key seals; all of them unseal. */
export const keyring = z.string().transform((text, context) => {
  const keys = text.split(",").map((entry) => {
    const [id = "", value = ""] = entry.trim().split(":");
    return { id, value };
  });
  const ids = new Set(keys.map(({ id }) => id));
  const valid =
    ids.size === keys.length &&
    keys.every(({ id, value }) => /^[a-z0-9-]{1,16}$/.test(id) && key.safeParse(value).success);
  if (!valid) {
    context.addIssue({
      code: "custom",
      message: "must be id:key[,id:key...] with distinct ids of a-z 0-9 - and 32-byte base64 keys",
    });
    return z.NEVER;
  }
  return keys.map(({ id, value }) => ({ id, key: Buffer.from(value, "base64") }));
});

/**
 * `id:base64key,id:base64key`, or one key without an id, whose id is then "". The first key is for
 * what is new.
 */
export const keysOrKey = z.string().transform((text, context) => {
  if (key.safeParse(text).success) return [{ id: "", key: Buffer.from(text, "base64") }];
  const keys = keyring.safeParse(text);
  if (keys.success) return keys.data;
  const message = text.includes(":")
    ? keys.error.issues[0]?.message
    : key.safeParse(text).error?.issues[0]?.message;
  context.addIssue({ code: "custom", message });
  return z.NEVER;
});

/** The allowed schemes of a link to Support. True: people read only the part after the scheme. */
const SUPPORT_SCHEMES: Record<string, boolean> = { "mailto:": true, "tel:": true, "https:": false };

/** How to reach Support: `text` for people to read, and `href` if it is a link. */
export type SupportContact = { text: string; href?: string };

/** A link to Support, or a line of text. */
export const supportContact = z
  .string()
  .trim()
  .max(200)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, "must be one line of text, or a link")
  .transform((text, context): SupportContact => {
    if (!/^[a-z][a-z\d+.-]*:\S/i.test(text)) return { text };
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const bare = url && SUPPORT_SCHEMES[url.protocol];
    if (url === undefined || bare === undefined) {
      const message = "must be a mailto:, tel: or https: link, or text without a scheme";
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    }
    return { text: bare ? decodeURIComponent(url.pathname) : text, href: url.href };
  });

/** The SMS providers, in the order in which they are tried. */
export const providers = z
  .string()
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(z.enum(["outbox", "twilio", "smpp"])).min(1));

/** Where metrics or probes are served. */
export const metricsAddress = z
  .string()
  .regex(/^\d+(\.\d+){3}:\d+$/, "must be an IPv4 address and a port, such as 0.0.0.0:9464");

/** A URL with this scheme, or with its variant over TLS. */
export const urlOf = (scheme: string) =>
  z.url({
    protocol: new RegExp(`^${scheme}s?$`),
    error: `must be a URL that starts with ${scheme}:// or ${scheme}s://`,
  });

/** A whole number within these bounds. */
export const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** One certificate in PEM, or several, one after the other. */
export const certificates = z.string().refine(areCertificates, {
  message: "must be certificates in PEM (-----BEGIN CERTIFICATE-----)",
});

/** A private key in PEM. */
export const privateKey = z.string().refine(isPrivateKey, {
  message: "must be a private key in PEM without a passphrase",
});

/** A domain that can be an RP ID: lower case, and no IP address. */
export const domain = z
  .string()
  .max(253)
  .regex(
    /^(localhost|([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?)$/,
    "must be a domain in lower case, such as example.com, and not an IP address",
  );

/** Origins of pages, or of Android apps, separated by commas. */
export const origins = z
  .string()
  .transform((text) => text.split(",").map((origin) => origin.trim()))
  .pipe(z.array(z.string().refine(isOrigin, "must be origins, such as https://login.example.com")));

/** Browsers only offer keys over https, and on the machine itself. */
function isOrigin(text: string): boolean {
  if (/^android:apk-key-hash:[\w-]{43}$/.test(text)) return true;
  if (!URL.canParse(text) || new URL(text).origin !== text) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && hostname === "localhost");
}
