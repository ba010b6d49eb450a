import type { CDPSession, Page } from "playwright-core";

type Kind = {
  transport: "internal" | "usb";
  hasResidentKey: boolean;
  hasUserVerification: boolean;
};

/** This computer or phone: it keeps passkeys, and a finger or a PIN unlocks it. */
export const PLATFORM: Kind = {
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
};

/** An old security key that is plugged in: it keeps no passkeys and knows no PIN. */
export const ROAMING: Kind = {
  transport: "usb",
  hasResidentKey: false,
  hasUserVerification: false,
};

/** Gives the page's browser one of Chromium's virtual authenticators (CDP). */
export async function plugIn(page: Page, kind: Kind) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      ...kind,
      isUserVerified: kind.hasUserVerification,
      automaticPresenceSimulation: true,
    },
  });
  return handleOf(cdp, authenticatorId);
}

export type Authenticator = Awaited<ReturnType<typeof plugIn>>;

const handleOf = (cdp: CDPSession, authenticatorId: string) => ({
  /** How many keys it keeps. */
  count: async () =>
    (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
  /** Whether its user touches it when it is asked. */
  setPresent: (enabled: boolean) =>
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
  /** Whether its user's finger or PIN is right. */
  setVerified: (isUserVerified: boolean) =>
    cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
});
