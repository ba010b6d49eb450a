import { toDataURL } from "qrcode";

const PNG = {
  type: "image/png" as const,
  // A fixed filter: for plain squares, searching the best filter of each line gains nothing, and it
  // blocks the event loop for 3 ms.
  rendererOpts: { filterType: 0, deflateLevel: 3, deflateStrategy: 0 },
};

/** The text as a QR code (ISO/IEC 18004), a PNG in a data URL. */
export function drawQrCode(text: string): Promise<string> {
  return toDataURL(text, PNG);
}
