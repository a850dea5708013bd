import { MORE_ROWS } from "./more-rows.js";

/**
 * Vector instructions after the manual's tables (Intel, volume 2). Columns: prefix; map; opcode, with /digit where ModRM.reg belongs to it; W of
 * the VEX and of the EVEX encoding ("g": ignored, "-": no such encoding); name; operands (see OperandKind); memory form / bytes of an element;
 * lengths (VEX, then EVEX after a comma where they differ); sets (VEX, EVEX).
 */
export const VECTOR_ROWS = `
# moves
NP 0F   10    g0 vmovups      VW    v/4  xy,xyz  AVX F
NP 0F   11    g0 vmovups      WV    v/4  xy,xyz  AVX F
66 0F   10    g1 vmovupd      VW    v/8  xy,xyz  AVX F
66 0F   11    g1 vmovupd      WV    v/8  xy,xyz  AVX F
NP 0F   28    g0 vmovaps      VW    v/4  xy,xyz  AVX F
NP 0F   29    g0 vmovaps      WV    v/4  xy,xyz  AVX F
66 0F   28    g1 vmovapd      VW    v/8  xy,xyz  AVX F
66 0F   29    g1 vmovapd      WV    v/8  xy,xyz  AVX F
NP 0F   2B    g0 vmovntps     MV    v/4  xy,xyz  AVX F
F3 0F   10    g0 vmovss       VM    4/4  s       AVX F
F3 0F   11    g0 vmovss       MV    4/4  s       AVX F
F3 0F   10    g0 vmovss       VHW   -/4  s       AVX F
F2 0F   10    g1 vmovsd       VM    8/8  s       AVX F
F2 0F   11    g1 vmovsd       MV    8/8  s       AVX F
F2 0F   10    g1 vmovsd       VHW   -/8  s       AVX F
F3 0F   6F    g- vmovdqu      VW    v/4  xy      AVX
F3 0F   7F    g- vmovdqu      WV    v/4  xy      AVX
66 0F   6F    g- vmovdqa      VW    v/4  xy      AVX
66 0F   7F    g- vmovdqa      WV    v/4  xy      AVX
F3 0F   6F    -0 vmovdqu32    VW    v/4  xyz     F
F3 0F   7F    -0 vmovdqu32    WV    v/4  xyz     F
F3 0F   6F    -1 vmovdqu64    VW    v/8  xyz     F
F3 0F   7F    -1 vmovdqu64    WV    v/8  xyz     F
F2 0F   6F    -0 vmovdqu8     VW    v/1  xyz     BW
F2 0F   7F    -0 vmovdqu8     WV    v/1  xyz     BW
F2 0F   6F    -1 vmovdqu16    VW    v/2  xyz     BW
F2 0F   7F    -1 vmovdqu16    WV    v/2  xyz     BW
66 0F   6F    -0 vmovdqa32    VW    v/4  xyz     F
66 0F   7F    -0 vmovdqa32    WV    v/4  xyz     F
66 0F38 2C    0- vmaskmovps   VHM   v/4  xy      AVX
66 0F38 2E    0- vmaskmovps   MHV   v/4  xy      AVX
66 0F38 2D    0- vmaskmovpd   VHM   v/8  xy      AVX
66 0F38 2F    0- vmaskmovpd   MHV   v/8  xy      AVX
66 0F38 8C    0- vpmaskmovd   VHM   v/4  xy      AVX2
66 0F38 8E    0- vpmaskmovd   MHV   v/4  xy      AVX2
66 0F   6E    00 vmovd        VE    4/4  x       AVX F
66 0F   7E    00 vmovd        EV    4/4  x       AVX F
66 0F   6E    11 vmovq        VE    8/8  x       AVX F
66 0F   7E    11 vmovq        EV    8/8  x       AVX F
F3 0F   7E    g1 vmovq        VW    8/8  x       AVX F
66 0F   D6    g1 vmovq        WV    8/8  x       AVX F
66 0F3A 16    00 vpextrd      EVI   4/4  x       AVX DQ
66 0F3A 16    11 vpextrq      EVI   8/8  x       AVX DQ
66 0F3A 17    gg vextractps   EVI   4/4  x       AVX F
66 0F3A 22    00 vpinsrd      VHEI  4/4  x       AVX DQ
66 0F3A 22    11 vpinsrq      VHEI  8/8  x       AVX DQ
# broadcasts
66 0F38 18    00 vbroadcastss VW    4/4  xy,xyz  AVX F
66 0F38 19    0- vbroadcastsd VW    8/8  y       AVX
66 0F38 19    -1 vbroadcastsd VW    8/8  yz      F
66 0F38 1A    0- vbroadcastf128 VM  16/4 y       AVX
66 0F38 1A    -0 vbroadcastf32x4 VM 16/4 yz      F
66 0F38 1B    -1 vbroadcastf64x4 VM 32/8 z       F
66 0F38 1B    -0 vbroadcastf32x8 VM 32/4 z       DQ
66 0F38 58    00 vpbroadcastd VW    4/4  xy,xyz  AVX2 F
66 0F38 59    01 vpbroadcastq VW    8/8  xy,xyz  AVX2 F
66 0F38 7C    -0 vpbroadcastd VE    -/4  xyz     F
66 0F38 7C    -1 vpbroadcastq VE    -/8  xyz     F
# arithmetic
NP 0F   58    g0 vaddps       VHW   b/4  xy,xyz  AVX F
NP 0F   5C    g0 vsubps       VHW   b/4  xy,xyz  AVX F
NP 0F   59    g0 vmulps       VHW   b/4  xy,xyz  AVX F
NP 0F   5E    g0 vdivps       VHW   b/4  xy,xyz  AVX F
NP 0F   5D    g0 vminps       VHW   b/4  xy,xyz  AVX F
NP 0F   5F    g0 vmaxps       VHW   b/4  xy,xyz  AVX F
NP 0F   51    g0 vsqrtps      VW    b/4  xy,xyz  AVX F
66 0F   58    g1 vaddpd       VHW   b/8  xy,xyz  AVX F
66 0F   5C    g1 vsubpd       VHW   b/8  xy,xyz  AVX F
66 0F   59    g1 vmulpd       VHW   b/8  xy,xyz  AVX F
66 0F   5E    g1 vdivpd       VHW   b/8  xy,xyz  AVX F
66 0F   5D    g1 vminpd       VHW   b/8  xy,xyz  AVX F
66 0F   5F    g1 vmaxpd       VHW   b/8  xy,xyz  AVX F
66 0F   51    g1 vsqrtpd      VW    b/8  xy,xyz  AVX F
F3 0F   58    g0 vaddss       VHW   4/4  s       AVX F
F3 0F   5C    g0 vsubss       VHW   4/4  s       AVX F
F3 0F   59    g0 vmulss       VHW   4/4  s       AVX F
F3 0F   5E    g0 vdivss       VHW   4/4  s       AVX F
F3 0F   5D    g0 vminss       VHW   4/4  s       AVX F
F3 0F   5F    g0 vmaxss       VHW   4/4  s       AVX F
F3 0F   51    g0 vsqrtss      VHW   4/4  s       AVX F
F2 0F   58    g1 vaddsd       VHW   8/8  s       AVX F
F2 0F   5C    g1 vsubsd       VHW   8/8  s       AVX F
F2 0F   59    g1 vmulsd       VHW   8/8  s       AVX F
F2 0F   5E    g1 vdivsd       VHW   8/8  s       AVX F
F2 0F   5D    g1 vminsd       VHW   8/8  s       AVX F
F2 0F   5F    g1 vmaxsd       VHW   8/8  s       AVX F
F2 0F   51    g1 vsqrtsd      VHW   8/8  s       AVX F
F2 0F   7C    g- vhaddps      VHW   v/4  xy      AVX
66 0F   7C    g- vhaddpd      VHW   v/8  xy      AVX
66 0F3A 08    g- vroundps     VWI   v/4  xy      AVX
66 0F3A 09    g- vroundpd     VWI   v/8  xy      AVX
66 0F3A 0A    g- vroundss     VHWI  4/4  s       AVX
66 0F3A 0B    g- vroundsd     VHWI  8/8  s       AVX
66 0F3A 08    -0 vrndscaleps  VWI   b/4  xyz     F
66 0F3A 09    -1 vrndscalepd  VWI   b/8  xyz     F
66 0F3A 0A    -0 vrndscaless  VHWI  4/4  s       F
66 0F3A 0B    -1 vrndscalesd  VHWI  8/8  s       F
66 0F38 2C    -0 vscalefps    VHW   b/4  xyz     F
66 0F38 42    -0 vgetexpps    VW    b/4  xyz     F
# bits
NP 0F   54    g0 vandps       VHW   b/4  xy,xyz  AVX DQ
NP 0F   55    g0 vandnps      VHW   b/4  xy,xyz  AVX DQ
NP 0F   56    g0 vorps        VHW   b/4  xy,xyz  AVX DQ
NP 0F   57    g0 vxorps       VHW   b/4  xy,xyz  AVX DQ
66 0F   54    g1 vandpd       VHW   b/8  xy,xyz  AVX DQ
66 0F   55    g1 vandnpd      VHW   b/8  xy,xyz  AVX DQ
66 0F   56    g1 vorpd        VHW   b/8  xy,xyz  AVX DQ
66 0F   57    g1 vxorpd       VHW   b/8  xy,xyz  AVX DQ
66 0F   DB    g- vpand        VHW   v/4  xy      AVX2
66 0F   DF    g- vpandn       VHW   v/4  xy      AVX2
66 0F   EB    g- vpor         VHW   v/4  xy      AVX2
66 0F   EF    g- vpxor        VHW   v/4  xy      AVX2
66 0F   DB    -0 vpandd       VHW   b/4  xyz     F
66 0F   DF    -0 vpandnd      VHW   b/4  xyz     F
66 0F   EB    -0 vpord        VHW   b/4  xyz     F
66 0F   EF    -0 vpxord       VHW   b/4  xyz     F
66 0F   DB    -1 vpandq       VHW   b/8  xyz     F
66 0F   DF    -1 vpandnq      VHW   b/8  xyz     F
66 0F   EB    -1 vporq        VHW   b/8  xyz     F
66 0F   EF    -1 vpxorq       VHW   b/8  xyz     F
66 0F3A 25    -0 vpternlogd   VHWI  b/4  xyz     F
66 0F3A 25    -1 vpternlogq   VHWI  b/8  xyz     F
# comparisons
NP 0F   C2    g- vcmpps       VHWI  v/4  xy      AVX
66 0F   C2    g- vcmppd       VHWI  v/8  xy      AVX
F3 0F   C2    g- vcmpss       VHWI  4/4  s       AVX
F2 0F   C2    g- vcmpsd       VHWI  8/8  s       AVX
NP 0F   C2    -0 vcmpps       KHWI  b/4  xyz     F
66 0F   C2    -1 vcmppd       KHWI  b/8  xyz     F
F3 0F   C2    -0 vcmpss       KHWI  4/4  s       F
F2 0F   C2    -1 vcmpsd       KHWI  8/8  s       F
66 0F   76    g- vpcmpeqd     VHW   v/4  xy      AVX2
66 0F   66    g- vpcmpgtd     VHW   v/4  xy      AVX2
66 0F38 29    g- vpcmpeqq     VHW   v/8  xy      AVX2
66 0F38 37    g- vpcmpgtq     VHW   v/8  xy      AVX2
66 0F   76    -0 vpcmpeqd     KHW   b/4  xyz     F
66 0F   66    -0 vpcmpgtd     KHW   b/4  xyz     F
66 0F38 29    -1 vpcmpeqq     KHW   b/8  xyz     F
66 0F38 37    -1 vpcmpgtq     KHW   b/8  xyz     F
66 0F3A 1F    -0 vpcmpd       KHWI  b/4  xyz     F
66 0F3A 1E    -0 vpcmpud      KHWI  b/4  xyz     F
66 0F38 27    -0 vptestmd     KHW   b/4  xyz     F
F3 0F38 27    -0 vptestnmd    KHW   b/4  xyz     F
NP 0F   2E    g0 vucomiss     VW    4/4  s       AVX F
66 0F   2E    g1 vucomisd     VW    8/8  s       AVX F
NP 0F   2F    g0 vcomiss      VW    4/4  s       AVX F
66 0F   2F    g1 vcomisd      VW    8/8  s       AVX F
NP 0F   50    g- vmovmskps    GW    -/4  xy      AVX
66 0F   50    g- vmovmskpd    GW    -/8  xy      AVX
66 0F   D7    g- vpmovmskb    GW    -/1  xy      AVX2
66 0F38 17    g- vptest       VW    v/8  xy      AVX
66 0F38 0E    0- vtestps      VW    v/4  xy      AVX
66 0F3A 66    -0 vfpclassps   KWI   b/4  xyz     DQ
# choice between two
66 0F3A 4A    0- vblendvps    VHWL  v/4  xy      AVX
66 0F3A 4B    0- vblendvpd    VHWL  v/8  xy      AVX
66 0F3A 4C    0- vpblendvb    VHWL  v/1  xy      AVX2
66 0F3A 0C    g- vblendps     VHWI  v/4  xy      AVX
66 0F3A 0D    g- vblendpd     VHWI  v/8  xy      AVX
66 0F3A 02    0- vpblendd     VHWI  v/4  xy      AVX2
66 0F38 65    -0 vblendmps    VHW   b/4  xyz     F
66 0F38 65    -1 vblendmpd    VHW   b/8  xyz     F
66 0F38 64    -0 vpblendmd    VHW   b/4  xyz     F
66 0F38 64    -1 vpblendmq    VHW   b/8  xyz     F
${fused()}
${MORE_ROWS}
`;

/** Fused multiply-adds: four operations, three orders of the operands, packed and scalar. */
function fused(): string {
  const rows: string[] = [];
  const kinds = ["vfmadd", "vfmsub", "vfnmadd", "vfnmsub"];
  for (const [o, order] of ["132", "213", "231"].entries()) {
    for (const [k, kind] of kinds.entries()) {
      const opcode = 0x98 + 0x10 * o + 2 * k;
      const packed = opcode.toString(16);
      const scalar = (opcode + 1).toString(16);
      rows.push(`66 0F38 ${packed} 00 ${kind}${order}ps VHW b/4 xy,xyz FMA F`);
      rows.push(`66 0F38 ${packed} 11 ${kind}${order}pd VHW b/8 xy,xyz FMA F`);
      rows.push(`66 0F38 ${scalar} 00 ${kind}${order}ss VHW 4/4 s FMA F`);
      rows.push(`66 0F38 ${scalar} 11 ${kind}${order}sd VHW 8/8 s FMA F`);
    }
  }
  return rows.join("\n");
}
