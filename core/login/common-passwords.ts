/**
 * The most common passwords, to be refused and to be taken out of longer ones: the 150 most common ones of 4 to 11 letters and
 * digits, less those that are made of shorter ones here, and of longer ones the most common that these do not cover.
 *
 * Source: the password list of @zxcvbn-ts/language-common 4.1.3 (in order of frequency), which builds on that of zxcvbn by Dan
 * Wheeler and Dropbox. Both are under the MIT license: Copyright (c) 2012-2016 Dan Wheeler and Dropbox, Inc.; Copyright (c) 2021
 * @zxcvbn-ts.
 */
const list = `
000000 010203040506 102030405060 111111 11111111 112233 112233445566 123123 123123qweqwe 123321 1234 12345 123456
123456654321 1234567 12345678 123456789 1234567890 12345678900987654321 12345678987654321 123456789987654321
1234qwer 123qwe 123qwe456rty 123qweasdzxc 12qw34er56ty 131313 159753 159753456852 1q2w3e4r5t6y 1qa2ws3ed4rf
1qaz2wsx 1qaz2wsx3edc4rfv 1qazxsw23edc 1qazxsw23edcvfr4 23176djivanfros 31217221027711 4815162342lost 541233432442
666666 6969 696969 7777777 89231243658s abc123 access admin18533362 administrator amanda andrea andrew andrewjackie
anthony arsenal asdfgh asdfghjkl123 ashley asshole austin bailey baseball batman bigdog biteme boomer businessbabe
buster camaro charlie cheese chelsea chesterfield chicken chickenwing101 christopher1 combat123654 computer
contortionist cookie corvette cosmopolitan counterstrike cowboy dakota dallas daniel devilmaycry4 diamond
dkflbvbhjdbx dkflbvbhjdyf domainlock2005 dragon eagles falcon ferrari finalfantasy fkmnthyfnbdf fktrcfylhjdbx
fktrcfylhjdyf flvbybcnhfnjh football freedom fuck fucker fuckme fucktheworld fuckyou george gfhjkm ghbdtnghbdtn
ghbdtnrfrltkf ghhh47hj7649 ghjcnjgfhjkm ghjcnjghjcnj ghjcnjrdfibyj ginger golfer guitar hammer harley
hd764nw5d7e1vb1 heather hedimaptfcor hello hockey hunter iloveyou intelligence international internet
iseedeadpeople jackson jamesbond007 jennifer jessica jordan joseph joshua justin justinbieber killer klaster
leavemealone letmein lhbjkjubz2957704 lost4815162342 love maggie mailcreated5240 marina martin master masterbaiting
masterbating masturbation matrix matthew maurolarastefy maverick melissa mercedes merlin mevefalkcakk michael
michelle mickey momsanaladventure monkey morgan motherfucker mustang nascar needforspeed networkingpe
newproject2004 nicole orange pass password patrick peanut pepper philadelphia phoenix playstation3 polniypizdec0211
polniypizdec110211 pornographic princess professional ptybnxtvgbjy pussy q1w2e3r4t5 q1w2e3r4t5y6u7i8 qazwsx
qazwsxedc123 qazwsxedcrfv qazwsxedcrfvtgb qazxswedcvfr qweasdzxc123 qwerasdfzxcv qwerty qwertyuiop qwertyytrewq
ranger richard robert samantha samsung saun24865709 scandinavian scooter secret sexy shadow silver smokey snoopy
soccer sojdlg123aljg sonyericsson sparky starwars steelers summer sunshine superman supernatural taylor test thomas
thunder tigers tigger transformers trustno1 unbelievable vanyarespekt vfvfvskfhfve websolutions welcome whatever
whosyourdaddy william yankees zaq1xsw2cde3 zqjphsyf6ctifgu zxcasdqwe123 zxcvbn zxcvbnm
`

export const commonPasswords = (): string[] => list.trim().split(/\s/)
