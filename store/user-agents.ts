const BROWSERS = [
  ["Edge", /Edg\w*\/(\d{1,4})/],
  ["Opera", /OPR\/(\d{1,4})/],
  ["Firefox", /Firefox\/(\d{1,4})/],
  ["Chrome", /Chrome\/(\d{1,4})/],
  ["Safari", /Version\/(\d{1,4}).* Safari/],
] as const;

const SYSTEMS = /iPhone|iPad|Android|Windows|Mac OS X|CrOS|Linux/;

/**
 * A browser's User-Agent as people call it: "Chrome 150 on Windows". Undefined for what is no known
 * browser's; nothing of the sender's own words gets through.
 */
export function knownBrowser(userAgent: string | null): string | undefined {
  for (const [name, pattern] of BROWSERS) {
    const version = pattern.exec(userAgent ?? "")?.[1];
    const system = SYSTEMS.exec(userAgent ?? "")?.[0];
    if (version) return [`${name} ${version}`, system].filter(Boolean).join(" on ");
  }
  return undefined;
}
