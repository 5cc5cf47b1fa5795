/**
 * The most common passwords, to be refused and to be taken out of longer ones: the 300 most common ones of 4 to 11 letters and
 * digits, less those that are made of shorter ones here, and of longer ones the most common that these do not cover.
 *
 * Source: the password list of @zxcvbn-ts/language-common 4.1.3 (in order of frequency), which builds on that of zxcvbn by Dan
 * Wheeler and Dropbox. Both are under the MIT license: Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc.; Copyright (c) 2021
 * @zxcvbn-ts.
 */
const list = `
000000 010203040506 01telemike01 102030405060 111111 11111111 111222333000 112233 112233445566 123123 123123qweqwe
123321 123321456654 123321qweewq 1234 12344321 12345 123456 123456654321 1234567 12345678 123456789 1234567890
12345678900987654321 1234567890987654321 12345678987654321 123456789987654321 123456a 1234qwer 1234qwerasdfzxcv
123654 123abc 123qwe 123qwe456rty 123qweasdzxc 12qw34er56ty 131313 159753 159753456852 1a2s3d4f5g6h 1q2w3e4r
1qa2ws3ed4rf 1qaz2wsx 1qaz2wsx3edc4rfv 1qazxsw23edc 1qazxsw23edcvfr4 23176djivanfros 31217221027711 32615948worms
41d8cd98f00b 4815162342lost 541233432442 59382113kevinp 666666 6969 696969 742617000027 7777777 8675309
89231243658s 89876065093rax abc123 abcd1234 access adidas admin18533362 administrator amanda an83546921an13 andrea
andrew angel angela angels antananarivu anthony apples arsenal asdfasdf asdfgh asdfghjkl ashley asshole
auckland2010 austin avrillavigne badboy bailey banana barney baseball batman bigdaddy bigdick bigdog bigtits bitch
biteme black blowjob blowme bltynbabrfwbz booboo boomer boston boy4u2ownnyc bpgjldsgjldthnf brandon brandy bulldog
businessbabe buster butter camaro cameron canada carlos casper charles charlie cheese chelsea chester chicago
chicken chickenwing101 chris christopher1 cocacola coffee combat123654 compaq computer construction contortionist
cookie cooper corvette cosmopolitan counterstrike cowboy cowboys crystal dakota dallas daniel danielle david dennis
devilmaycry4 diablo diamond dick digitalprodu dkflbvbhjdbx dkflbvbhjdyf domainlock2005 dragon eagles edward enter
falcon fender ferrari finalfantasy fishing fkmnthyfnbdf fktrcfylhjdbx fktrcfylhjdyf florida flower flvbybcnhfnjh
football forever frederiksberg freedom fuck fucker fuckme fuckoff fucktheworld fuckyou fynfyfyfhbde gandalf gateway
gemini george gfhjkm ghbdtn ghbdtnrfrltkf ghhh47hj7649 ghjcnjgbpltw ghjcnjgfhjkm ghjcnjghjcnj ghjcnjqgfhjkm
ghjcnjrdfibyj ginger gjkysqgbpltw golden golfer greenlantern gtnhjpfdjlcr guitar hammer hannah hardcore harley
hd764nw5d7e1vb1 heather hedimaptfcor hello hockey horny hunter iceman iloveboobies iloveyou ingodwetrust
installdevic installsqlst intelligence international internet iseedeadpeople iwantu jackie jackson james
jamesbond007 jasmine jasper jennifer jessica john johnny johnson jonathan jordan jordan23 joseph joshua junior
justin justinbieber killer klaster knight lakers lauren leavemealone letmein lhbjkjubz2957704 liverpoo liverpool
london lost4815162342 love lytghjgtnhjdcr madison maggie mailcreated5240 maprchem56458 marina marine marlboro
martin massimiliano master masterbaiting masterbating masturbation matrix matthew maurolarastefy maverick melissa
mercedes merlin mevefalkcakk michael michelle mickey midnight mike miller minecraft123 momsanaladventure money
monkey monster morgan morganstanley mother muffin murphy mustang nascar natasha nathan ncc1701 needforspeed
nemvxyheqdd5oqxyxyzi networkingpe newproject2004 newyork nhecsyfujkjdt nhfdvfnjkju123 nicholas nicole nightcrawler
nikita olcrackmaster oliver orange panther panties pass passw0rd password password1 passwordstandard patrick peanut
pepper philadelphia phoenix player playstation2 playstation3 please pokemon polniypizdec0211 polniypizdec110211
pornographic porsche prince princess professional ptybnxtvgbjy punksnotdead purple pussy q1w2e3r4 q1w2e3r4t5
q1w2e3r4t5y6u7i8 q1w2e3r4t5y6u7i8o9p0 qawsedrftgyh qazwsx qazwsxedc qazwsxedcrfvtgb qazxsw qazxswedcvfr qwaszx
qwaszxerdfcv qwe123qwe123 qweasdzxc123 qwer1234 qwerasdfzxcv qwerty qwerty123 qwertyuiop qwertyytrewq rabbit rachel
raiders rainbow ranger rangers razz redskins redsox residentevil richard robert samantha samsung sandra
sanfrancisco saun24865709 scandinavian schoolgirlie scooby scooter scorpion secret seemnemaailm sexsex sexy shadow
shannon silver slayer slipknot smokey snoopy soccer sojdlg123aljg sonyericsson sophie spanky sparky spider startrek
starwars steelers steven stratocaster summer sunshine superman supernatural taylor tennis test thomas thunder
thx1138 ticketmaster tiger tigers tigger toyota transformers trustno1 turtle unbelievable vanyarespekt vfrcbvvfrcbv
vfvfvskfhfve victoria viking warhammer40k websolutions welcome whatever whosyourdaddy william winner winston winter
wizard yamaha yankees yellow zaq1xsw2cde3 zaqwsxcderfv zqjphsyf6ctifgu zxcasdqwe123 zxcvbn zxcvbnm
`

export const commonPasswords = (): string[] => list.trim().split(/\s/)
