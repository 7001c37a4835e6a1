"""Checkpoints that PyTorch 2.13 has written, and what the tests do with such files."""

from __future__ import annotations

import io
import zipfile
import zlib
from base64 import b85decode
from typing import Any

import arraytorch as torch


def load(data: bytes, **options: Any) -> Any:
    """Loads from bytes."""
    return torch.load(io.BytesIO(data), **options)


def saved(obj: Any, **options: Any) -> bytes:
    """The bytes that save() writes."""
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    return buffer.getvalue()


def again(obj: Any, **options: Any) -> Any:
    """What comes back after saving."""
    return load(saved(obj, **options))


def with_pickle(data: bytes) -> bytes:
    """A checkpoint whose pickle is ``data``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/byteorder", "little")
    return buffer.getvalue()


def record(data: bytes, name: str) -> bytes:
    """The bytes of one record of a checkpoint."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(f"archive/{name}")


def rewritten(data: bytes, changes: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A checkpoint in which some records are others."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", method) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.partition("/")[2], old.read(name)))
    return buffer.getvalue()


def fixed(data: bytes) -> bytes:
    """The archive with right checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            info.CRC = None  # type: ignore[assignment]
        changes = {}
        for name in archive.namelist():
            with archive.open(name) as stream:
                stream._expected_crc = None  # type: ignore[attr-defined]
                changes[name.partition("/")[2]] = stream.read()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in changes.items():
            archive.writestr(f"archive/{name}", content)
    return buffer.getvalue()


def _bytes(text: str) -> bytes:
    return zlib.decompress(b85decode(text))


STATE_DICT = _bytes(
    "c-o~@%Wl&^6dl`%lNw0V@<<v`Ss{Xe)JdGQ0YRz=%)$%OAS8>8<v7#W!i_ujqy?l(l~9Y=l^;O-"
    "1)qV+f)zU!hy~&on6cZ`c1U<#c|5Xb&b`NH&UIVi5&)#rU@Wp=9_X%NT3c|br(?ae`P7zM8So?$yR2b2whawzIRj64=="
    "Pusd-p5@3kY26Af~ADB-"
    "u8!`X)xKfgO^vqz$oUdxGY|?$EM(8ioVUakZ_AfVg5&O%a4gcIthI5&=YzZAZtCf|mkHstnm9B3|XlY-"
    "|ouO5rg|uPH!b6>cBRD4fFVBjL44S)9V?bO)VL$)|#@rF$r2k~(I>Oq#suBWEd++e2A}*+X*yY96Dr9dvHEgU+in1gUL"
    "6tWzn_1%ExKQk_tK2QB!Nx1j406;MH8JkRTv+Da<TzPkVY65&cmd!p7kaCxM4Y29%*bgUg^lUo;Kl1HLUi@g8w`6bnZj"
    ">$y|VELrTk-VC2Tm8WX9ALRsomOX3)Fn!wxsATDqy#&az#M3f2y~xg=uorBt=s=n_c&||V;fQqdw0GpP^<A%Ib^`yh^v"
    "=GxpnJ52n1Poo8-1iE;4q>c(+O!<qp2S$&-crR7SJl`iRl!%&-0_rK&(H9lq^9{=NQ-pmJgW|KmOATEqb_blSa|)stJL"
    "zto~!Tdu5>8;x4Iyi$|uQdO+f#pQ-5RV1-"
    "dtBX~sR+S{NLRnr}Kj;?;kD||#p=3uq!+nw+V;=tx#nIsg$VHGg115D=JW1HZg-DXaaFVgkiRTF$aW0al!-"
    "DY!h{MCK$wc6vSP=7W92@q*Yy@j^Anvj_ID9;d5%9+l_}9j1D?ESW*k;_#5i%8<KQO`kED_8E=Py0rgXiE6mgECW%HJR"
    "C{Rw+)apM"
)
EVERY_DTYPE = _bytes(
    "c-qaFTW}Lq7{^a<X;>g>k-G>Lyi|cS+1+dsC=>%mFbHK4jVQ)6*)}QLY`^5BTtqEmK@?vY-kf1@eD%RMamIHaoN<QnGN"
    "Yru_@XcBqfd_K?AdJgoY;moj<PeEbawXt`~S~nzw@P|>8@^s{C?DQ^`TWLSIHMkGsaLMhjXFn(`G6eKqt9tw(~VWgBij"
    "=W0qw?M;=>56w20c$*fA*iZNCznT0Gi%2lh9oslKz930H_lIN@B$=rkiT}&b+iT*gdCqZ|ngFF(3o=g|{&QI6Cm+r*Sd"
    "n}F8opaz%cg(@EtNFZTnnoU%ta4R4S}7P6qi~><#}Y`7>98Eb3LREvdI+IbD&sf=ip0F=8lJ<3YZ$Z*BhXj0jrtv<Rn+"
    "Ldt3}FNjbV)rYcoEF7tvr{i{UB~tZz7moFPjm%J|&0QE<&S*yb{9B<9^1?sv>LQS%3w`DQ0HGnQZrh5;QObi*hzY%SVe"
    "MMhI#8=?6zJmk<GrnE;G?NJX+A!{;-f!uxErD-"
    "Z`=V&VIAhbRVI~`hx(uNo<?4fC@1Q86f4vM`i?0HwYdEZ~mRotORZG03oHt#V9AE)>P!|%edTZdtL9oe++;dsZ3Rt3Aj"
    "y*5yT5eD4n0H2`1Bm?fpa6pGA>p(JfDGqq3+`v6$<6>}-;SM>trztMYaECEGqr;Ipj?CRr4tLlpPq@5Mn-"
    "_;;jHf%i<COO-<DJ0poDR?1FUh!R<>-"
    "hr9Pwbz9CwK?*u(^!WW*O8;!BixiV<JNkk#Rp41LYV>c|}bGNjmT7dw{eq%TAm@{C(>xCZ5pGwuY2q7J1-QZkj39M-"
    "0~%+rh+0h2MO9A=p^EykS206J6}OfsKUj(NbUjhT%%7c-"
    "~~H3pq=pl2xbEQ6lIa9)R3Gs|c(v8JX?<1E2m;I}2a&nJG3!4-"
    "I&!QXJ;vlM=j!QaGiNr$&GQUe~5<1qJ6bRqj?hF9SV!@up|uTuOw4F4{MYdXAF3yr3G{g*FZ_|7C7jebVwt=;QT(5>B}"
    "ajP<w!`T_5QYCdVm0a#E;Smb`<o6#g(LF>z^FueHSOe-*vTV*QO_ZmMGEOBG;b^$4OH*lpku&fsorul_1N5U2H^3OF-"
    "4-qQspRgZ_|`A8gt2MR40C&a-ayNrZ@~-!w3j;-hr+4kt~LUo4(eUn`jggr`~j5Yy(6jQ-gXAxuD|>*_>)aX6P)@j8>h"
    "!bcZ&r3_ykHSIgHx#uW$Qa|BBl;f25}V78!>53~DMFNA396Gax6&7wP_iKDz^3IETvTh^CTZ^q;Q3_P?)x>>gPE_&u`z"
    "i6yN+Lc`Sa{SUVXTF-ybQ-"
    "N6p3b$E*5t<#L{*#j*e6$q*NZbDOVi~qfe*R1A^$()mLIzR>W2nvbXV)Kgj&H8yj<jC?AX0=Jq!<pNCHv2g)c4=_)93F"
    "j#b0g9pPvWhc^_ime);DB`Fo&6o^5U(x7XRyDvu&jhdVbXPPDFnn~~gTfb1bxjY^4hK<9Jx7ihLrNF_syoPdZLmSZtB8"
    "r3vaiORB;NJPW35=+F?ctVloxT?vCXe>@se)`q5zXnN;K|5s!4eRFg_Jw^-$;IFCqT1U4uH%%S^`QAWNfF|0;x_V)n-"
    "49}If@)_Bi7Gxu6sCc11QS9XIX%gukA%b?{@dv>!LOyYP}~IuU+LAw6du6o;<wvhNx9Ut@pIxwd<D&TJ`S7drQ<t7cpK"
    "*&}xequc(bJV!X=*ZCuoPPdQ<{qBbFFy(d(V)2?12?v196<vm(>@r@>N)6Vjq2fTRwN>SXjwY<fg7vE|UH|;HN<>kc#0"
    "a4tvxx7V{7k}&#&r?jiwQe)NyMm}i6&_9dd^_qjyKASbTqAsM>S5ovgY~n<NB`-7zFytv$wt#XKBie?KhK{18;BRi8v"
)
VIEWS = _bytes(
    "c-p0wO-~a+7{{mGc7atXFKPi1@x3UN?k;^nR7hj?vIn7P(s-"
    "#$yV8vd<=GApOiV~fNw}#ePsVSd@nrPqiNtvFU}DsG@+&yA17&xxfH3Lorrr5H|Nrbh&$FG>g%Co`&1lzXLmkL)ie+ob"
    "94;Byh%Y?0wQMVT;2W#Kr+{L45(CW`RTBb5Tp>`ru!t?YDis`aX3?@s1#He&D^6iaksuh0<(tU*Dp_gFnjkPl((H<Xr`"
    "eAZgz^EhCIR8RK+eU5MG$onL(`Ow^q?-"
    "RL$faEfpuuvC>ATWZ5FXrnXgKBos#L8r8`y;OCSy8;24JEIXK})aVpEuS|<8sp&TlQ%WlNT6bU5MpiK|dpnaoEp$-"
    "h4IXLNBz;KF3PE!+t9$bg09-"
    "v;j7}kxUCkJQTyHUmF0`&6aS!SP*eJsE^M)qSkpMwi7xonk8xVTNa9%Q&g_yC5>u5t~o=%@x)85_euj@R-"
    "cRV^B};lOntt-"
    "v6ohX_3|z^FKe;T$CLVY0xSTfi$I`ydq*0+HRTR1#6IBg8qm<4G1Eg(01T%wl{}Z)$!q{Ua&_5u$UlVM;|&rk+yqM-"
    "^wzz=b8#sgftBWk<NoI@pk@`kOyr*QjSY8>{!A^p5&g@)Zo*nw_6B=dqSm4`U!TLJf>B!*8;46x`E5I~uPWm|4MQh32Z"
    "39Xr&<w}x$DY@5_W?bi2hngZgU9$L|DUsVq$wCs%|7+_IX$H`%We8^lS^YsLE6n*yVc^A3RwU47gzav@8#?Zm_zqwiu="
    "YF=(;tB1eHR0D%wCv5J+<v0p@9M|j^?vZ{ql4(HN7Zk<*9hvYYt@S^!i%XAb-"
    "(#)_Wu6)+lQ2$0&?wFO~)b?^u(aew_ugDZ2UiWBPY`7OiD>Bqv_GnOmaj{DapjBEGLvyQdKg^bW+Wv<fKYnw!i%JF-Cm"
    "ET$cfAw(is0fZBFB=ig&I?QI}YA2}UFjan8T#M=aVd_gw7L3VW>K90AL+kJ6z0@~d`c-"
    "&ictv>vVfVkS{S#K5j*>Z?uWuEm`fS>)$v&uI6?;7!rdtr`Md0lVrMttmh58L3Gc~h#-"
    "2X}~QpJboZMR9PuG=!l#DRJjDwpH|2WM{(BzdvZKg?(plt+2=#$z9LZ{srA<67~"
)
KINDS = _bytes(
    "c-pO2-EZ4e6u<eXlNsp8fRz;}-w>cn6Q}v;$Ci=}7che20g5V3mTTWOE^eG--"
    "vrjF(xfR}w|@Z%i3i?zh8H9z?Uk2F2=Rc#15Z4`;~u%!H%)C<S+*8S_Wj8Do!{>spL3j5C6PoZokmBladaB#uF<eMc-"
    "GX3o^5?$%e7Io7P_v-cL8PUF$!ow%peX$WVJT2Y){l&yxz8KQ)}t2zKscXMTieDA-"
    "L%|uGW!6NMthg6!qs(OMMeVl0!t<c64%?Z;CMDbLK#(C+KLj+K^J>1k#@<NQrmhloIQLc*`&x+r|d5oTev!?3&oc<|WG"
    "@B0Tn{3Xc<bLWR-"
    "&23w5XgmD!n>NFgPSlEQqjfuKI7aOj#gPZVVBi^9W8p#Hy&cjoUloBKGG^3<!XV_!%mhbEt0%uj2;)`c*!gDG-"
    "?|Zhfz5&xAM-sfi9lh9d^b&i#%vHTY;8hh~^Rb?_gW>gFG%nMH2yZBHC9wyYE>PRI>Lb+3Bv)G)-"
    "tL*LZ?LH4OCrqphcR)-GBBL${mhplWPJjoZR#+q#P%SkLY{9q%`K3)-X7+nv)!`sSK-"
    "%D@Q+e}IewI4?<ghqDDyB>c47X|=fb{6U{Qr79u|wP&R>BG86|dG@bfQr`_w@yF0WMY^VvuH^*9~w{sdJ+GaM5eo`{=l"
    "BEqtt33q=+@Q!~}TPIdC54AnGsKO;f(^#g_Elm?WOf%r!D<CT|y$dTUyhnLiD3v6E_d})zKdlHKtQ^Q$ss76+d!VTBA#"
    "P_^l~j6n?#vGYRlx4mfmJn$iv6m}ZaD6?PP7hoJ({3$Egvbahq&^L`p19%xWU5D?!nYksC-"
    "D>D=tm9t<B~(ZW6gxcy#u)wbC3DQ2i4AX745bKmik|+83~Xm0*X}qg-"
    "1&4)4KbTZGt{Y3QE+>nwZi!UHvoq6?v}Hk*@c3nvhO(48uEdxt4lnECS;MwuR>U@5F1FV`yQ`25$ajC*VA+wWN+C5Lb?"
    "hq)!Wwsey4pOnAwfAF&o!8CNft7eDCe+(`5HS{a5d|VL)kul%<X7jV*`9F=M!vge=?_t-"
    "X6}Y3b50qw^axMFaLh`wCxl)qK(tLS-zEYgam!x7&Dix$sxgr(lzEr3b%N4&$v)8_^XQ+;huQJBO_H_ok*Z2|T(f<Kab"
    "g%(UhLE2p(4c-7brNhMQz0k!f=-TfuBe}2BbW&JQIqIs1B$|fRXiGk|CU6N-VwzHt00VJpXPAYKRou=C{~JMgP9-"
    "3ekw$;g(x<dyJI2j?*Z(9cNR>k>2R!5Xh^cJDuOU`P#TGIeWVx}Z^Zd{KgCCi^Jmw32K=ixB5;i8+jHCh0O_87hX"
)
LEGACY = _bytes(
    "c-"
    "noE$!^p@5Qe?X0)~XJ6V|ZLunft>b|!2YAcTX(5_9ndS&pX_8#&|o?VdzIiZquA3D3ZRBagwOaODw@I8bdTC=yOu?pAk"
    "o`K!OGYoL75qCa03eouV-{%*W6P+tF1Y2AQSbH*e|>LoFc{Wx-0S(1iv7cx0GBXkpmoJY)M-A?Frp=>!C8TopTxoP-"
    "`rBF9esySscra_!=lr6<k=@fQ3DptuU2}ayqM%60y`@1oPb;(N^WS_^0A2i%P52I9b6SmY3qmIj2H;of_wW&d=)tsu}l"
    "c%@Lpyt153sLOx_qkC+$r&Y|S>4bLL!UOxras+7Ig{e|`Xr_DhNHS@NtR-%n>b{tmb{6>+dgF-"
    "F`rY?srEMMu!MEyL!WEV>NbvW9JMi$VUl<aqXDT2)Sxihu^^8!wn%Vwh~t(##EI=dfKGCpvT@pxMfGszAk5hv%sC-ewU"
    "kYaTe8r6K1W^PxM<^2R>PFD9xfk5yRt)@$WtfU)f{>)r(Nf`VdG{-"
    "TMIi3w~A>qE#1^{n`ko8YMHhn>XtObot$)+<DQNCPDSYQy~s<@*oQT1PMLVH!<r;ky`D3sIGQ%5vwmVLJ-"
    "!aT7}09#gfIvp5yBL5B$3q&<w)<^%5k$C4{bcks@}uneR{3uCEg0-"
    "EYa}f|7f~lwpylPPU0y=Qz+V8R>~pT;(edxk)CtBura@t9bSIMf{j<A+dqhIFJQ?<Z>1EKTrH|yVKvIEp-"
    "8*q$DCLy(%vx;wl;k<2Q<I6<$rfS_v|OyySu-CBL%Y"
)
ATTRIBUTES = _bytes(
    "c-p0vOK;Oa5XU!8>KGT&2anPMg`<%mwc|QXc|{7y7avGNK@n1Axz09rapJ7KeIZq<R8^uk4xEuV!-"
    ")%Dfh$Nz9JqmyIPn$OwcFHoNl?j3>y@qf&-"
    "`|0W?j|N82~sA92=ux92lNy+3RqoVPGTQdFH5<9C#WVJIoRSf{9&Xnb+5_?fAUz!R0mEY3LopGg=TsPv5YyrTf^xkVmO"
    "r<`}kp*VESvJYoc)o+S`Iu{4?xr9%m?I<A2qg&%p8si%mIh=%HEvYMSW#A*yi*#!+~%pT&j)E+vuZ<?;-"
    "Koi?;+vgv84d}tf1KY$r;;+}xFh-"
    "|q=*$a?zT~#iNZ<<_O*C33Cj;6phG@*kXuO8b9)gFYN8~G>+tTq?2L|xx1dBP~T?`G;c|ow!R>&)%3l^)TFq)v81o0w$"
    "OzsB+Qy5*^Mwja>F?2n<X}8gpfWso#Xqs?bt)Xi$U)8c)ed*QvP2!QxYR^1QfcxD%=2u*=Wng_BdOkT0wNg%`^Tb1<AR"
    "m5z+oe0Bvp2{Tm^%VFNUUx+cC+1rZLC)0|6wW4Qh@RX`o)kCOkaR8Q0@XOZ(-"
    "=tT2L#u2RQ@B#@K<BVejtuNt!jbFGCL8i*?nEs8((b006*FnNCXZa)JFqLvsHhxDzLk)Jh2q5}(FiU48S8mT9JM?2$+Y"
    "x-~e^`O7?w{^@n|@xSvw4GKpE7;N2#o=qz7xj`=n-"
    "EOFr{0U)1r6@^aNh!!hX}&loDuwx3Q7n~;vZP4z{G41;6s1&<DP{4;&$j~M5CX~+h3#@idwKL2dGa1ks-"
    "q1!5mSClfnMF8bP{c%shE=m2K4FNq@QRbjK%zXj`-"
    ";|U{W5f;#^GrBn=Y1lhj75Fs}WY)JjQhw1!4v+Qke=R&7!oP3?4i&k^z8i>|7%?2W?`P2cP)xx_lmgzM%|xDp-"
    "xMS|UI_#WQALu{zw0{hVR4-Uc5)B"
)
