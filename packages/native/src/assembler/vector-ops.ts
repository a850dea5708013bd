/** How a vector instruction is encoded; the names of the fields are the manual's (Intel, volume 2, sections 2.3 and 2.7). */
export interface VectorOp {
  /** 1: 0F, 2: 0F 38, 3: 0F 3A */
  readonly map: 1 | 2 | 3;
  /** Mandatory prefix: 0 none, 1: 66, 2: F3, 3: F2 */
  readonly prefix: 0 | 1 | 2 | 3;
  readonly opcode: number;
  /** The W bit of a VEX encoding; of an EVEX one where it differs. */
  readonly w?: 0 | 1;
  readonly evexW?: 0 | 1;
  /** Bytes of a memory operand for an EVEX displacement, where it is not the whole vector. */
  readonly memoryBytes?: number;
}

/** The instructions that kernels may use; tests compare each with what the GNU assembler makes of it. */
export const VECTOR_OPS = {
  vmovups: { map: 1, prefix: 0, opcode: 0x10 },
  vmovupsStore: { map: 1, prefix: 0, opcode: 0x11 },
  vmovss: { map: 1, prefix: 2, opcode: 0x10, memoryBytes: 4 },
  vmovssStore: { map: 1, prefix: 2, opcode: 0x11, memoryBytes: 4 },
  vmovupd: { map: 1, prefix: 1, opcode: 0x10, evexW: 1 },
  vmovupdStore: { map: 1, prefix: 1, opcode: 0x11, evexW: 1 },
  vmovsd: { map: 1, prefix: 3, opcode: 0x10, evexW: 1, memoryBytes: 8 },
  vmovsdStore: { map: 1, prefix: 3, opcode: 0x11, evexW: 1, memoryBytes: 8 },
  vmaskmovps: { map: 2, prefix: 1, opcode: 0x2c },
  vmaskmovpsStore: { map: 2, prefix: 1, opcode: 0x2e },
  vmaskmovpd: { map: 2, prefix: 1, opcode: 0x2d },
  vmaskmovpdStore: { map: 2, prefix: 1, opcode: 0x2f },
  vbroadcastss: { map: 2, prefix: 1, opcode: 0x18, memoryBytes: 4 },
  vbroadcastsd: { map: 2, prefix: 1, opcode: 0x19, evexW: 1, memoryBytes: 8 },
  vaddps: { map: 1, prefix: 0, opcode: 0x58 },
  vsubps: { map: 1, prefix: 0, opcode: 0x5c },
  vmulps: { map: 1, prefix: 0, opcode: 0x59 },
  vdivps: { map: 1, prefix: 0, opcode: 0x5e },
  vminps: { map: 1, prefix: 0, opcode: 0x5d },
  vmaxps: { map: 1, prefix: 0, opcode: 0x5f },
  vsqrtps: { map: 1, prefix: 0, opcode: 0x51 },
  vaddss: { map: 1, prefix: 2, opcode: 0x58, memoryBytes: 4 },
  vmulss: { map: 1, prefix: 2, opcode: 0x59, memoryBytes: 4 },
  vdivss: { map: 1, prefix: 2, opcode: 0x5e, memoryBytes: 4 },
  vsqrtss: { map: 1, prefix: 2, opcode: 0x51, memoryBytes: 4 },
  vmaxss: { map: 1, prefix: 2, opcode: 0x5f, memoryBytes: 4 },
  vaddpd: { map: 1, prefix: 1, opcode: 0x58, evexW: 1 },
  vmulpd: { map: 1, prefix: 1, opcode: 0x59, evexW: 1 },
  vfmadd231pd: { map: 2, prefix: 1, opcode: 0xb8, w: 1 },
  vaddsd: { map: 1, prefix: 3, opcode: 0x58, evexW: 1, memoryBytes: 8 },
  vsqrtsd: { map: 1, prefix: 3, opcode: 0x51, evexW: 1, memoryBytes: 8 },
  vfmadd132ps: { map: 2, prefix: 1, opcode: 0x98 },
  vfmadd213ps: { map: 2, prefix: 1, opcode: 0xa8 },
  vfmadd231ps: { map: 2, prefix: 1, opcode: 0xb8 },
  vfnmadd231ps: { map: 2, prefix: 1, opcode: 0xbc },
  vfnmadd213ps: { map: 2, prefix: 1, opcode: 0xac },
  vfmsub213ps: { map: 2, prefix: 1, opcode: 0xaa },
  vfmsub231ps: { map: 2, prefix: 1, opcode: 0xba },
  vandps: { map: 1, prefix: 0, opcode: 0x54 },
  vandnps: { map: 1, prefix: 0, opcode: 0x55 },
  vorps: { map: 1, prefix: 0, opcode: 0x56 },
  vxorps: { map: 1, prefix: 0, opcode: 0x57 },
  vcmpps: { map: 1, prefix: 0, opcode: 0xc2 },
  vblendvps: { map: 3, prefix: 1, opcode: 0x4a },
  vblendmps: { map: 2, prefix: 1, opcode: 0x65 },
  vucomiss: { map: 1, prefix: 0, opcode: 0x2e, memoryBytes: 4 },
  vmovmskps: { map: 1, prefix: 0, opcode: 0x50 },
  vblendps: { map: 3, prefix: 1, opcode: 0x0c },
  vpaddd: { map: 1, prefix: 1, opcode: 0xfe },
  vpmuludq: { map: 1, prefix: 1, opcode: 0xf4, evexW: 1 },
  vpmaxud: { map: 2, prefix: 1, opcode: 0x3f },
  vpcmpeqd: { map: 1, prefix: 1, opcode: 0x76 },
  vpcmpud: { map: 3, prefix: 1, opcode: 0x1e },
  vpmovsxdq: { map: 2, prefix: 1, opcode: 0x25, memoryBytes: 32 },
  kshiftrw: { map: 3, prefix: 1, opcode: 0x30, w: 1 },
  vcvtps2pd: { map: 1, prefix: 0, opcode: 0x5a, memoryBytes: 32 },
  vcvtsd2ss: { map: 1, prefix: 3, opcode: 0x5a, evexW: 1, memoryBytes: 8 },
  vextractf128: { map: 3, prefix: 1, opcode: 0x19 },
  vextractf64x4: { map: 3, prefix: 1, opcode: 0x1b, w: 1, evexW: 1, memoryBytes: 32 },
  vpermilps: { map: 3, prefix: 1, opcode: 0x04 },
  vunpcklps: { map: 1, prefix: 0, opcode: 0x14 },
  vunpckhps: { map: 1, prefix: 0, opcode: 0x15 },
  vshufps: { map: 1, prefix: 0, opcode: 0xc6 },
  vperm2f128: { map: 3, prefix: 1, opcode: 0x06 },
  vinsertf128: { map: 3, prefix: 1, opcode: 0x18 },
  vshuff32x4: { map: 3, prefix: 1, opcode: 0x23 },
  vinsertf64x4: { map: 3, prefix: 1, opcode: 0x1a, w: 1, evexW: 1, memoryBytes: 32 },
  vunpcklpd: { map: 1, prefix: 1, opcode: 0x14, evexW: 1 },
  vunpckhpd: { map: 1, prefix: 1, opcode: 0x15, evexW: 1 },
  vpunpcklwd: { map: 1, prefix: 1, opcode: 0x61 },
  vpunpckhwd: { map: 1, prefix: 1, opcode: 0x69 },
  vpermw: { map: 2, prefix: 1, opcode: 0x8d, evexW: 1 },
  vcvtne2ps2bf16: { map: 2, prefix: 3, opcode: 0x72 },
  vdpbf16ps: { map: 2, prefix: 2, opcode: 0x52 },
  // Tiles (AMX): VEX encodings of 128 bits whose registers are tiles. The rows of one in memory are an index register apart.
  ldtilecfg: { map: 2, prefix: 0, opcode: 0x49 },
  tilerelease: { map: 2, prefix: 0, opcode: 0x49 },
  tilezero: { map: 2, prefix: 3, opcode: 0x49 },
  tileloadd: { map: 2, prefix: 3, opcode: 0x4b },
  tilestored: { map: 2, prefix: 2, opcode: 0x4b },
  tdpbf16ps: { map: 2, prefix: 2, opcode: 0x5c },
} as const satisfies Record<string, VectorOp>;

export type VectorOpName = keyof typeof VECTOR_OPS;
