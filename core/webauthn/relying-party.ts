import { isIP } from "node:net";
import type { Config } from "../../config.ts";
import { Problem } from "../problem.ts";

/** Who asks for a key: the RP ID that keys are bound to, and the origins of pages that may ask. */
export type RelyingParty = { id: string; name: string; origins: string[] };

type Settings = Pick<Config, "WEBAUTHN_RP_ID" | "WEBAUTHN_ORIGINS" | "PUBLIC_URL" | "SERVICE_NAME">;

/**
 * The relying party by the settings alone, never by a request's Host; undefined if they name none.
 * An IP address cannot be an RP ID (Web Authentication Level 3, 5.1.2).
 */
export function findRelyingParty(settings: Settings): RelyingParty | undefined {
  const { WEBAUTHN_RP_ID, WEBAUTHN_ORIGINS, PUBLIC_URL, SERVICE_NAME: name } = settings;
  const own = PUBLIC_URL === undefined ? undefined : new URL(PUBLIC_URL);
  const id = WEBAUTHN_RP_ID ?? (own && !isAddress(own.hostname) ? own.hostname : undefined);
  const origins = WEBAUTHN_ORIGINS ?? (own ? [own.origin] : []);
  return id === undefined || origins.length === 0 ? undefined : { id, name, origins };
}

/** As `findRelyingParty`; throws `webauthn_unavailable` if there is none. */
export function relyingParty(settings: Settings): RelyingParty {
  const found = findRelyingParty(settings);
  if (found) return found;
  throw new Problem(
    "webauthn_unavailable",
    "Use another kind of device. The service's operator has to set its public address first.",
  );
}

const isAddress = (hostname: string) => isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
