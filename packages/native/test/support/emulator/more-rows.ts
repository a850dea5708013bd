/**
 * Vector instructions on integers, conversions, shuffles, and instructions on masks; columns as in vector-rows.ts.
 */
export const MORE_ROWS = `
# integers
66 0F   FE    g0 vpaddd       VHW   b/4  xy,xyz  AVX2 F
66 0F   FA    g0 vpsubd       VHW   b/4  xy,xyz  AVX2 F
66 0F   D4    g1 vpaddq       VHW   b/8  xy,xyz  AVX2 F
66 0F   FB    g1 vpsubq       VHW   b/8  xy,xyz  AVX2 F
66 0F38 40    g0 vpmulld      VHW   b/4  xy,xyz  AVX2 F
66 0F   F4    g1 vpmuludq     VHW   b/8  xy,xyz  AVX2 F
66 0F38 39    g0 vpminsd      VHW   b/4  xy,xyz  AVX2 F
66 0F38 3B    g0 vpminud      VHW   b/4  xy,xyz  AVX2 F
66 0F38 3D    g0 vpmaxsd      VHW   b/4  xy,xyz  AVX2 F
66 0F38 3F    g0 vpmaxud      VHW   b/4  xy,xyz  AVX2 F
66 0F38 1E    g0 vpabsd       VW    b/4  xy,xyz  AVX2 F
66 0F   72/6  g0 vpslld       HWI   b/4  xy,xyz  AVX2 F
66 0F   72/2  g0 vpsrld       HWI   b/4  xy,xyz  AVX2 F
66 0F   72/4  g0 vpsrad       HWI   b/4  xy,xyz  AVX2 F
66 0F   72/1  -0 vprold       HWI   b/4  xyz     F
66 0F   72/0  -0 vprord       HWI   b/4  xyz     F
66 0F   73/6  g1 vpsllq       HWI   b/8  xy,xyz  AVX2 F
66 0F   73/2  g1 vpsrlq       HWI   b/8  xy,xyz  AVX2 F
66 0F38 47    00 vpsllvd      VHW   b/4  xy,xyz  AVX2 F
66 0F38 45    00 vpsrlvd      VHW   b/4  xy,xyz  AVX2 F
66 0F38 46    00 vpsravd      VHW   b/4  xy,xyz  AVX2 F
# bfloat16
F2 0F38 72    -0 vcvtne2ps2bf16 VHW b/4  xyz     BF16
F3 0F38 52    -0 vdpbf16ps    VHW   b/4  xyz     BF16
66 0F38 8D    -1 vpermw       VHW   v/2  xyz     BW
# conversions
NP 0F   5B    g0 vcvtdq2ps    VW    b/4  xy,xyz  AVX F
66 0F   5B    g0 vcvtps2dq    VW    b/4  xy,xyz  AVX F
F3 0F   5B    g0 vcvttps2dq   VW    b/4  xy,xyz  AVX F
NP 0F   5A    g0 vcvtps2pd    VW    h/8  xy,xyz  AVX F
66 0F   5A    g1 vcvtpd2ps    VW    v/4  xy,xyz  AVX F
F3 0F   E6    g0 vcvtdq2pd    VW    h/8  xy,xyz  AVX F
F2 0F   E6    g1 vcvtpd2dq    VW    v/4  xy,xyz  AVX F
66 0F   E6    g1 vcvttpd2dq   VW    v/4  xy,xyz  AVX F
F3 0F   5A    g0 vcvtss2sd    VHW   4/8  s       AVX F
F2 0F   5A    g1 vcvtsd2ss    VHW   8/4  s       AVX F
F3 0F   2A    00 vcvtsi2ss    VHE   4/4  s       AVX F
F2 0F   2A    00 vcvtsi2sd    VHE   4/8  s       AVX F
F3 0F   2A    11 vcvtsi2ss    VHE   8/4  s       AVX F
F2 0F   2A    11 vcvtsi2sd    VHE   8/8  s       AVX F
66 0F38 33    gg vpmovzxwd    VW    h/4  xy,xyz  AVX2 F
66 0F38 23    gg vpmovsxwd    VW    h/4  xy,xyz  AVX2 F
66 0F38 31    gg vpmovzxbd    VW    q/4  xy,xyz  AVX2 F
66 0F38 35    g0 vpmovzxdq    VW    h/8  xy,xyz  AVX2 F
66 0F38 25    g0 vpmovsxdq    VW    h/8  xy,xyz  AVX2 F
F3 0F38 33    -0 vpmovdw      WV    h/2  xyz     F
F3 0F38 35    -0 vpmovqd      WV    h/4  xyz     F
# shuffles
NP 0F   14    g0 vunpcklps    VHW   b/4  xy,xyz  AVX F
NP 0F   15    g0 vunpckhps    VHW   b/4  xy,xyz  AVX F
66 0F   14    g1 vunpcklpd    VHW   b/8  xy,xyz  AVX F
66 0F   15    g1 vunpckhpd    VHW   b/8  xy,xyz  AVX F
66 0F   61    -g vpunpcklwd   VHW   v/2  xyz     BW
66 0F   69    -g vpunpckhwd   VHW   v/2  xyz     BW
66 0F   62    g0 vpunpckldq   VHW   b/4  xy,xyz  AVX2 F
66 0F   6A    g0 vpunpckhdq   VHW   b/4  xy,xyz  AVX2 F
66 0F   6C    g1 vpunpcklqdq  VHW   b/8  xy,xyz  AVX2 F
66 0F   6D    g1 vpunpckhqdq  VHW   b/8  xy,xyz  AVX2 F
66 0F38 2B    g0 vpackusdw    VHW   v/2  xy,xyz  AVX2 BW
NP 0F   C6    g0 vshufps      VHWI  b/4  xy,xyz  AVX F
66 0F   C6    g1 vshufpd      VHWI  b/8  xy,xyz  AVX F
66 0F   70    g0 vpshufd      VWI   b/4  xy,xyz  AVX2 F
66 0F38 00    gg vpshufb      VHW   v/1  xy,xyz  AVX2 BW
66 0F3A 04    00 vpermilps    VWI   b/4  xy,xyz  AVX F
66 0F38 0C    00 vpermilps    VHW   b/4  xy,xyz  AVX F
66 0F3A 05    01 vpermilpd    VWI   b/8  xy,xyz  AVX F
66 0F38 16    00 vpermps      VHW   b/4  y,yz    AVX2 F
66 0F38 36    00 vpermd       VHW   b/4  y,yz    AVX2 F
66 0F3A 00    11 vpermq       VWI   b/8  y,yz    AVX2 F
66 0F3A 01    11 vpermpd      VWI   b/8  y,yz    AVX2 F
66 0F38 7F    -0 vpermt2ps    VHW   b/4  xyz     F
66 0F38 77    -0 vpermi2ps    VHW   b/4  xyz     F
66 0F38 7F    -1 vpermt2pd    VHW   b/8  xyz     F
66 0F38 7E    -0 vpermt2d     VHW   b/4  xyz     F
F3 0F   12    g0 vmovsldup    VW    v/4  xy,xyz  AVX F
F3 0F   16    g0 vmovshdup    VW    v/4  xy,xyz  AVX F
NP 0F   12    g0 vmovhlps     VHW   -/4  x       AVX F
NP 0F   16    g0 vmovlhps     VHW   -/4  x       AVX F
66 0F3A 0F    gg vpalignr     VHWI  v/1  xy,xyz  AVX2 BW
66 0F3A 03    -0 valignd      VHWI  b/4  xyz     F
66 0F3A 06    0- vperm2f128   VHWI  v/4  y       AVX
66 0F3A 46    0- vperm2i128   VHWI  v/4  y       AVX2
66 0F3A 18    0- vinsertf128  VHWI  16/4 y       AVX
66 0F3A 19    0- vextractf128 WVI   16/4 y       AVX
66 0F3A 38    0- vinserti128  VHWI  16/4 y       AVX2
66 0F3A 39    0- vextracti128 WVI   16/4 y       AVX2
66 0F3A 18    -0 vinsertf32x4 VHWI  16/4 yz      F
66 0F3A 18    -1 vinsertf64x2 VHWI  16/8 yz      DQ
66 0F3A 1A    -0 vinsertf32x8 VHWI  32/4 z       DQ
66 0F3A 1A    -1 vinsertf64x4 VHWI  32/8 z       F
66 0F3A 19    -0 vextractf32x4 WVI  16/4 yz      F
66 0F3A 19    -1 vextractf64x2 WVI  16/8 yz      DQ
66 0F3A 1B    -0 vextractf32x8 WVI  32/4 z       DQ
66 0F3A 1B    -1 vextractf64x4 WVI  32/8 z       F
66 0F3A 38    -0 vinserti32x4 VHWI  16/4 yz      F
66 0F3A 3A    -1 vinserti64x4 VHWI  32/8 z       F
66 0F3A 39    -0 vextracti32x4 WVI  16/4 yz      F
66 0F3A 3B    -1 vextracti64x4 WVI  32/8 z       F
66 0F3A 23    -0 vshuff32x4   VHWI  b/4  yz      F
66 0F3A 23    -1 vshuff64x2   VHWI  b/8  yz      F
66 0F3A 43    -0 vshufi32x4   VHWI  b/4  yz      F
66 0F3A 43    -1 vshufi64x2   VHWI  b/8  yz      F
66 0F38 8A    -0 vcompressps  WV    c/4  xyz     F
66 0F38 88    -0 vexpandps    VW    c/4  xyz     F
66 0F38 8B    -0 vpcompressd  WV    c/4  xyz     F
# masks
NP 0F   90    0- kmovw        KJ    2/2  x       F
66 0F   90    0- kmovb        KJ    1/1  x       DQ
NP 0F   91    0- kmovw        MK    2/2  x       F
NP 0F   92    0- kmovw        KE    -/2  x       F
66 0F   92    0- kmovb        KE    -/1  x       DQ
F2 0F   92    0- kmovd        KE    -/4  x       BW
F2 0F   92    1- kmovq        KE    -/8  x       BW
NP 0F   93    0- kmovw        GJ    -/2  x       F
66 0F   93    0- kmovb        GJ    -/1  x       DQ
F2 0F   93    0- kmovd        GJ    -/4  x       BW
F2 0F   93    1- kmovq        GJ    -/8  x       BW
NP 0F   41    0- kandw        KNJ   -/2  y       F
NP 0F   42    0- kandnw       KNJ   -/2  y       F
NP 0F   45    0- korw         KNJ   -/2  y       F
NP 0F   46    0- kxnorw       KNJ   -/2  y       F
NP 0F   47    0- kxorw        KNJ   -/2  y       F
NP 0F   44    0- knotw        KJ    -/2  x       F
NP 0F   98    0- kortestw     KJ    -/2  x       F
NP 0F   99    0- ktestw       KJ    -/2  x       DQ
66 0F3A 32    1- kshiftlw     KJI   -/2  x       F
66 0F3A 30    1- kshiftrw     KJI   -/2  x       F
F3 0F38 38    -0 vpmovm2d     VJ    -/4  xyz     DQ
F3 0F38 39    -0 vpmovd2m     KW    -/4  xyz     DQ
# the end
NP 0F   77    g- vzeroupper   -     -/4  x       AVX
NP 0F   77    g- vzeroall     -     -/4  y       AVX
`;
